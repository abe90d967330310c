/** The entry of msgpackr without code generation and without native code ships no types: what we use of it. */
declare module 'msgpackr/index-no-eval' {
  export class Unpackr {
    constructor(options: { useRecords: boolean; int64AsType: 'number' })
    /** Byte strings are views of `bytes`. */
    unpack(bytes: Uint8Array): unknown
  }
}
