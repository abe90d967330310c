/** Where a dump goes: lines for people, or one JSON document. */
import { JsonDocument } from '../json-document.js'
import { type Progress, terminalProgress } from '../progress.js'
import type { DumpOutput } from './dump-chain.js'

/** Progress is told where the lines themselves are not seen. */
abstract class CountingOutput implements DumpOutput {
  readonly progress: Progress = process.stdout.isTTY
    ? { show: () => undefined, clear: () => undefined }
    : terminalProgress()

  abstract field(name: string, value: object | string | number, text?: string): void
  abstract list<T>(name: string, items: AsyncIterable<T> | Iterable<T>, textOf: (item: T) => string): Promise<void>

  protected async *counted<T>(name: string, items: AsyncIterable<T> | Iterable<T>): AsyncGenerator<T> {
    let count = 0
    for await (const item of items) {
      if (++count % COUNTED_AT_ONCE === 0) this.progress.show(`${name}: ${count}`)
      yield item
    }
  }
}

const COUNTED_AT_ONCE = 256

export class TextOutput extends CountingOutput {
  readonly #line: (text: string) => void

  constructor(line: (text: string) => void) {
    super()
    this.#line = line
  }

  field(_name: string, _value: object | string | number, text?: string): void {
    if (text !== undefined) this.#line(text)
  }

  async list<T>(name: string, items: AsyncIterable<T> | Iterable<T>, textOf: (item: T) => string): Promise<void> {
    this.#line('')
    for await (const item of this.counted(name, items)) this.#line(textOf(item))
  }

  end(): void {
    // The last line was it.
  }
}

export class JsonOutput extends CountingOutput {
  readonly #document = new JsonDocument()

  field(name: string, value: object | string | number): void {
    this.#document.field(name, value)
  }

  list<T>(name: string, items: AsyncIterable<T> | Iterable<T>): Promise<void> {
    return this.#document.list(name, this.counted(name, items))
  }

  end(): void {
    this.#document.end()
  }
}
