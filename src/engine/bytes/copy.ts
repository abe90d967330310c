/** Memory of its own. Never `slice()`: of a Buffer of Node's that is a view, and what it views may be written again. */
export function copyOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes)
}
