// What a contender can do: keep objects of bytes. Each job opens its store in a process of its own.
export type Durability = 'memory' | 'local'
export type Part = 'append' | 'load' | 'open'

export interface Store {
  /** Appends the objects as one batch; resolves with their keys when it is as durable as the store was opened for. */
  append(objects: readonly Uint8Array[]): Promise<readonly string[]>
  /** Everything appended so far has been handed to the system at least: what is put off counts as well. */
  settle(): Promise<void>
  /** The bytes of an object. */
  get(key: string): Promise<Uint8Array>
  close(): Promise<void>
}

export interface Contender {
  readonly name: string
  /** What it does for one batch, for the report. */
  readonly does: string
  /** The parts of the benchmark that say something of it. */
  readonly parts: readonly Part[]
  /** Targets are about it: it is measured in every round, the others in the first. */
  readonly hasTarget: boolean
  version(): Promise<string>
  open(directory: string, durability: Durability): Promise<Store>
}

/** A row needs an object that is not there: the benchmark is wrong. */
export function demand<T>(value: T | null | undefined, what: string): T {
  if (value === undefined || value === null) throw new Error(`${what} is not there`)
  return value
}
