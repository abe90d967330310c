/**
 * Reads the trees of an LMDB file page by page, without LMDB: it trusts its own pages, and ends the process where one is not
 * what it should be. After a walk that found nothing wrong it can read and write the file. What the values are worth is not
 * seen here.
 *
 * Format: LMDB with 24 bytes of page header (data version 2 of lmdb 3), little endian. A page's own number (8), transaction
 * (8), padding (2), flags (2), lower and upper end of its free space (2 each, counted from behind the header); then offsets
 * of its nodes (2 each). A node: data size or page number (4), flags or its upper part (2), key bytes (2), key, data.
 */
import { closeSync, constants, openSync } from 'node:fs'
import { compareBytes } from '../../engine/bytes/compare.js'
import { readFully } from './file-segment.js'
import { dataFile, type NewestMeta, PAGE_BYTES, readNewestMeta, type TreeMeta } from './lmdb-file.js'

const HEADER_BYTES = 24
const NODE_BYTES = 8
const BODY_BYTES = PAGE_BYTES - HEADER_BYTES
const MAX_KEY_BYTES = 511
const MAX_DEPTH = 32
const FLAGS_AT = 18
const LOWER_AT = 20
const UPPER_AT = 22
const OVERFLOW_PAGES_AT = 20
const BRANCH = 1
const LEAF = 2
const OVERFLOW = 4
/** Flags of a page that say what it is. */
const TYPE_MASK = 0x6f
const VALUE_ELSEWHERE = 1
const NO_PAGE = 2n ** 64n - 1n
const PAGES_PER_STEP = 256

interface Page {
  bytes: Uint8Array
  view: DataView
}

interface Node {
  at: number
  key: Uint8Array
}

/** What a page may hold: keys from `from` (inclusive) up to `to`. */
interface Bounds {
  from: Uint8Array | undefined
  to: Uint8Array | undefined
}

interface Value {
  at: number
  bytes: number
}

interface Tree {
  meta: TreeMeta
  compare: (a: Uint8Array, b: Uint8Array) => number
  /** Where a value lies in the file. */
  onValue: (value: Value) => void
}

/**
 * True when every page that LMDB follows is one. `quick` leaves out the first pages of long values: most of the file, and LMDB
 * looks at them only when it frees them. Yields now and then; says something only while nobody writes.
 */
export function* checkPages(directory: string, { quick }: { quick: boolean }): Generator<void, boolean> {
  const fd = openSync(dataFile(directory), constants.O_RDONLY)
  try {
    const meta = readNewestMeta(fd)
    return meta !== undefined && (yield* new PageWalk(fd, meta, quick).run())
  } finally {
    closeSync(fd)
  }
}

class PageWalk {
  readonly #fd: number
  readonly #meta: NewestMeta
  readonly #isQuick: boolean
  readonly #endPage: number
  /** One bit per page that a tree leads to. */
  readonly #taken: Uint8Array
  /** One page per level: keys of a branch are needed while its children are read. */
  readonly #levels: Page[] = []
  #steps = 0

  constructor(fd: number, meta: NewestMeta, isQuick: boolean) {
    this.#fd = fd
    this.#isQuick = isQuick
    this.#meta = meta
    this.#endPage = Number(meta.lastPage) + 1
    this.#taken = new Uint8Array(Math.ceil(this.#endPage / 8))
    this.#take(0, 2)
  }

  *run(): Generator<void, boolean> {
    const freeLists: Value[] = []
    const { main, free } = this.#meta
    const ofMain: Tree = { meta: main, compare: compareBytes, onValue: () => undefined }
    const ofFree: Tree = { meta: free, compare: compareNumbers, onValue: (value) => freeLists.push(value) }
    if (!(yield* this.#checkTree(ofMain)) || !(yield* this.#checkTree(ofFree))) return false
    return freeLists.every((value) => this.#isFreeList(value))
  }

  *#checkTree(tree: Tree): Generator<void, boolean> {
    const { root, depth } = tree.meta
    if (root === NO_PAGE) return depth === 0
    if (depth < 1 || depth > MAX_DEPTH) return false
    return yield* this.#checkPage(tree, Number(root), depth, { from: undefined, to: undefined })
  }

  *#checkPage(tree: Tree, number: number, height: number, bounds: Bounds): Generator<void, boolean> {
    if (++this.#steps % PAGES_PER_STEP === 0) yield
    const page = this.#level(height)
    const type = height > 1 ? BRANCH : LEAF
    if (!this.#take(number, 1) || !this.#read(number, page.bytes) || typeOf(page, number) !== type) return false
    const nodes = nodesOf(page, type, bounds, tree.compare)
    if (nodes === undefined) return false
    if (type === LEAF) return nodes.every((node) => this.#checkLeafNode(tree, number, page, node))
    for (const [position, { at, key }] of nodes.entries()) {
      const child = page.view.getUint32(at, true) + page.view.getUint16(at + 4, true) * 2 ** 32
      const within = { from: position === 0 ? bounds.from : key, to: nodes[position + 1]?.key ?? bounds.to }
      if (!(yield* this.#checkPage(tree, child, height - 1, within))) return false
    }
    return true
  }

  #checkLeafNode({ onValue }: Tree, number: number, { view }: Page, { at, key }: Node): boolean {
    const bytes = view.getUint32(at, true)
    const flags = view.getUint16(at + 4, true)
    const valueAt = at + NODE_BYTES + key.length
    if (flags === 0) {
      onValue({ at: number * PAGE_BYTES + valueAt, bytes })
      return valueAt + bytes <= PAGE_BYTES
    }
    if (flags !== VALUE_ELSEWHERE || valueAt + 8 > PAGE_BYTES) return false
    const first = Number(view.getBigUint64(valueAt, true))
    const pages = Math.ceil((HEADER_BYTES + bytes) / PAGE_BYTES)
    onValue({ at: first * PAGE_BYTES + HEADER_BYTES, bytes })
    return this.#take(first, pages) && (this.#isQuick || this.#isOverflow(first, pages))
  }

  #isOverflow(number: number, pages: number): boolean {
    const header = pageOf(HEADER_BYTES)
    if (!this.#read(number, header.bytes) || typeOf(header, number) !== OVERFLOW) return false
    // A value that became shorter keeps the pages it had.
    const spare = header.view.getUint32(OVERFLOW_PAGES_AT, true) - pages
    return spare >= 0 && this.#take(number + pages, spare)
  }

  /** Numbers of 64 bits: how many follow; then pages, 0 for nothing, or the negative length of a run and its first page. */
  #isFreeList({ at, bytes }: Value): boolean {
    const { bytes: list, view } = pageOf(bytes)
    if (bytes < 8 || bytes % 8 !== 0 || readFully(this.#fd, at, list, 0, bytes) < bytes) return false
    const count = Number(view.getBigInt64(0, true))
    if (count < 0 || count > bytes / 8 - 1) return false
    for (let i = 1; i <= count; i++) {
      const entry = Number(view.getBigInt64(i * 8, true))
      if (entry === 0) continue
      if (entry < 0 && ++i > count) return false
      const first = entry < 0 ? Number(view.getBigInt64(i * 8, true)) : entry
      if (!this.#take(first, entry < 0 ? -entry : 1)) return false
    }
    return true
  }

  /** False when one of the pages does not exist, or belongs to something else already. */
  #take(first: number, count: number): boolean {
    if (first < 0 || count > this.#endPage || first + count > this.#endPage) return false
    for (let number = first; number < first + count; number++) {
      const byte = this.#taken[number >>> 3] ?? 0
      const bit = 1 << (number & 7)
      if ((byte & bit) !== 0) return false
      this.#taken[number >>> 3] = byte | bit
    }
    return true
  }

  #read(number: number, into: Uint8Array): boolean {
    return readFully(this.#fd, number * PAGE_BYTES, into, 0, into.length) === into.length
  }

  #level(height: number): Page {
    return (this.#levels[height] ??= pageOf(PAGE_BYTES))
  }
}

function pageOf(length: number): Page {
  const bytes = new Uint8Array(length)
  return { bytes, view: new DataView(bytes.buffer) }
}

/** What a page says it is; undefined when it says it is another one. */
function typeOf({ view }: Page, number: number): number | undefined {
  return view.getBigUint64(0, true) === BigInt(number) ? view.getUint16(FLAGS_AT, true) & TYPE_MASK : undefined
}

/** The nodes of a page; undefined when they do not lie within it, in order and within `bounds`. */
function nodesOf(page: Page, type: number, bounds: Bounds, compare: Tree['compare']): Node[] | undefined {
  const lower = page.view.getUint16(LOWER_AT, true)
  const upper = page.view.getUint16(UPPER_AT, true)
  const least = type === BRANCH ? 2 : 1
  if (lower % 2 !== 0 || lower / 2 < least || lower > upper || upper > BODY_BYTES) return undefined
  const nodes: Node[] = []
  let previous = bounds.from
  for (let i = 0; i < lower / 2; i++) {
    const offset = page.view.getUint16(HEADER_BYTES + 2 * i, true)
    const key = offset % 2 === 0 && offset >= upper ? keyAt(page, HEADER_BYTES + offset) : undefined
    if (key === undefined) return undefined
    nodes.push({ at: HEADER_BYTES + offset, key })
    // The first key of a branch is not looked at: it stands for all that is less.
    if (type === BRANCH && i === 0) continue
    if (key.length === 0 || (previous !== undefined && compare(key, previous) < (i > type - 1 ? 1 : 0)))
      return undefined
    previous = key
  }
  const isWithin = previous === undefined || bounds.to === undefined || compare(previous, bounds.to) < 0
  return isWithin ? nodes : undefined
}

function keyAt({ bytes, view }: Page, at: number): Uint8Array | undefined {
  if (at + NODE_BYTES > PAGE_BYTES) return undefined
  const length = view.getUint16(at + 6, true)
  if (length > MAX_KEY_BYTES || at + NODE_BYTES + length > PAGE_BYTES) return undefined
  return bytes.subarray(at + NODE_BYTES, at + NODE_BYTES + length)
}

/** Keys of the free lists: numbers of transactions, little endian. */
function compareNumbers(a: Uint8Array, b: Uint8Array): number {
  if (a.length !== 8 || b.length !== 8) return -1
  return compareBytes(Uint8Array.from(a).reverse(), Uint8Array.from(b).reverse())
}
