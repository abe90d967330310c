/** Copies of fields. What is common in them is copied here, the rest as the platform does it, which costs ten times as much. */
const MAX_DEPTH = 12

/** As `structuredClone`, but that bytes are copied without what else lies in their memory, and twice where they are named twice. */
export function copyOf<T extends object>(fields: T): T {
  // Of the same type, member by member.
  return copyValue(fields, 0) as T
}

function copyValue(value: unknown, depth: number): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') return structuredClone(value)
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return new Uint8Array(value)
  if (depth > MAX_DEPTH) return structuredClone(value)
  if (Array.isArray(value)) return value.map((item) => copyValue(item, depth + 1))
  return isPlain(value) ? copyMembers(value, depth) : structuredClone(value)
}

function copyMembers(value: object, depth: number): unknown {
  const copy: Record<string, unknown> = {}
  for (const name of Object.keys(value)) {
    if (name === '__proto__') return structuredClone(value)
    copy[name] = copyValue(Reflect.get(value, name), depth + 1)
  }
  return copy
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
