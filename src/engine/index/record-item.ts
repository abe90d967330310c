/** A record of one (kind, high), as ranges give it. The value's bytes are shared: never change them. */
export interface RecordItem {
  low: number
  value: Uint8Array
}
