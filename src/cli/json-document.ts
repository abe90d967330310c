/** One JSON document on standard output, written as its parts come: what it lists need not fit in memory. */

export class JsonDocument {
  readonly #write: (text: string) => void
  #fields = 0

  /** Standard output is written to synchronously, so a slow reader is waited for. */
  constructor(write: (text: string) => void = (text) => void process.stdout.write(text)) {
    this.#write = write
    write('{')
  }

  field(name: string, value: object | string | number): void {
    this.#begin(name)
    this.#write(JSON.stringify(value))
  }

  /** One line for each item. What the items throw is thrown when the list is closed: the document goes on. */
  async list(name: string, items: AsyncIterable<unknown> | Iterable<unknown>): Promise<void> {
    this.#begin(name)
    this.#write('[')
    let count = 0
    try {
      for await (const item of items) this.#write(`${count++ === 0 ? '' : ','}\n    ${JSON.stringify(item)}`)
    } finally {
      this.#write(count === 0 ? ']' : '\n  ]')
    }
  }

  end(): void {
    this.#write('\n}\n')
  }

  #begin(name: string): void {
    this.#write(`${this.#fields++ === 0 ? '' : ','}\n  ${JSON.stringify(name)}: `)
  }
}
