/** The entry of msgpackr without code generation and without native code ships no types: what we use of it. */
declare module 'msgpackr/index-no-eval' {
  export class Packr {
    constructor(options: { useRecords: boolean; variableMapSize: boolean; int64AsType: 'number' })
    /** A view of shared memory, valid until the next call. */
    pack(value: unknown): Uint8Array
    /** Byte strings are views of `bytes`. */
    unpack(bytes: Uint8Array): unknown
  }
}
