/** How many bytes of each body records refer to: what two records share counts twice. In pages, for a chain has millions. */
const PAGE_BODIES = 65_536

export class BodyBytes {
  readonly #pages = new Map<number, Uint32Array>()

  add(body: number, bytes: number): void {
    const number = Math.floor(body / PAGE_BODIES)
    let page = this.#pages.get(number)
    if (page === undefined) {
      page = new Uint32Array(PAGE_BODIES)
      this.#pages.set(number, page)
    }
    const at = body % PAGE_BODIES
    page[at] = Math.min(0xffff_ffff, (page[at] ?? 0) + bytes)
  }

  of(body: number): number {
    return this.#pages.get(Math.floor(body / PAGE_BODIES))?.[body % PAGE_BODIES] ?? 0
  }
}
