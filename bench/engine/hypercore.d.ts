// What we use of hypercore 10, which has no types.
declare module 'hypercore' {
  export default class Hypercore {
    constructor(storage: string)
    ready(): Promise<void>
    append(blocks: readonly Uint8Array[]): Promise<{ length: number }>
    get(index: number): Promise<Uint8Array | null>
    close(): Promise<void>
  }
}
