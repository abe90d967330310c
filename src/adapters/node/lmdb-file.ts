/**
 * The files of an index, looked at before LMDB maps them into memory: a page beyond the end of the file or of the disk
 * would end the process, and so would opening what is no LMDB file (lmdb 3.5).
 */
import { closeSync, constants, fdatasyncSync, fstatSync, ftruncateSync, openSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { AteError } from '../../engine/error.js'
import { errnoOf } from './file-error.js'
import { readFully } from './file-segment.js'
import { allocateSpace } from './libc/space.js'

export const PAGE_BYTES = 4096
const DATA_NAME = 'data.mdb'
const LOCK_NAME = 'data.mdb-lock'
/** At least what LMDB gives it: 126 readers. */
const LOCK_BYTES = 4 * PAGE_BYTES
/** More than opening writes to a new index. */
const FIRST_BYTES = 16 * PAGE_BYTES
/** The two pages that lead to all others; the later one counts. */
const META_PAGES = 2
const META = {
  bytes: 160,
  flags: 18,
  magic: 24,
  version: 28,
  pageBytes: 48,
  freeTree: 48,
  mainTree: 96,
  lastPage: 144,
  transaction: 152,
}
const TREE = { depth: 6, root: 40 }
const META_FLAG = 8
const MAGIC = 0xbeefc0de
const VERSION = 2

/** Where a tree of pages begins, and how many levels it has. */
export interface TreeMeta {
  root: bigint
  depth: number
}

export interface NewestMeta {
  lastPage: bigint
  /** Pages that are free again, by transaction. */
  free: TreeMeta
  main: TreeMeta
}

export function dataFile(directory: string): string {
  return join(directory, DATA_NAME)
}

/** True for a file of LMDB that is as long as it says, and for a writer also when there is nothing yet. */
export function isDataFileUsable(directory: string, { readOnly }: { readOnly: boolean }): boolean {
  const size = sizeOf(dataFile(directory))
  if (size === 0) return !readOnly
  const fd = openSync(dataFile(directory), constants.O_RDONLY)
  try {
    const needed = neededBytes(fd)
    return needed !== undefined && needed <= size
  } finally {
    closeSync(fd)
  }
}

/** Called after writing: LMDB leaves out pages at the end that are free again. */
export function coverDataFile(directory: string): void {
  const fd = openSync(dataFile(directory), constants.O_RDWR)
  try {
    const needed = neededBytes(fd) ?? 0
    if (needed <= fstatSync(fd).size) return
    ftruncateSync(fd, needed)
    // The length too must outlast a power failure: what LMDB wrote says it already.
    fdatasyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/**
 * Takes the space that opening writes to. Throws NO_SPACE. Whoever may not write has nothing taken. Not while this process
 * has the index open: closing any descriptor of the file gives up LMDB's locks on it.
 */
export function reserveLockFile(directory: string): void {
  const path = join(directory, LOCK_NAME)
  let fd: number
  try {
    fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600)
  } catch (error) {
    // LMDB does without, or says so itself.
    if (errnoOf(error) !== 'ENOSPC') return
    throw noSpace()
  }
  try {
    const bytes = LOCK_BYTES + (sizeOf(dataFile(directory)) === 0 ? FIRST_BYTES : 0)
    const outcome = allocateSpace(fd, 0, bytes)
    if (fstatSync(fd).size > LOCK_BYTES) ftruncateSync(fd, LOCK_BYTES)
    if (outcome === 'no-space') throw noSpace()
  } finally {
    closeSync(fd)
  }
}

/** Bytes of a file; 0 when it is not there. */
export function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

function noSpace(): AteError {
  return new AteError('NO_SPACE', 'The disk of the log is full: there is no room for its index.')
}

/** Bytes up to the last page in use; undefined when this is no file of LMDB. */
function neededBytes(fd: number): number | undefined {
  const meta = readNewestMeta(fd)
  return meta === undefined ? undefined : (Number(meta.lastPage) + 1) * PAGE_BYTES
}

/** Undefined when this is no file of LMDB. */
export function readNewestMeta(fd: number): NewestMeta | undefined {
  let newest: DataView | undefined
  for (let page = 0; page < META_PAGES; page++) {
    const bytes = new Uint8Array(META.bytes)
    if (readFully(fd, page * PAGE_BYTES, bytes, 0, bytes.length) < bytes.length) return undefined
    const view = new DataView(bytes.buffer)
    const isMeta = (view.getUint16(META.flags, true) & META_FLAG) !== 0 && view.getUint32(META.magic, true) === MAGIC
    if (!isMeta || view.getUint16(META.version, true) !== VERSION) return undefined
    if (view.getUint32(META.pageBytes, true) !== PAGE_BYTES) return undefined
    if (newest === undefined || transactionOf(view) > transactionOf(newest)) newest = view
  }
  if (newest === undefined) return undefined
  return {
    lastPage: newest.getBigUint64(META.lastPage, true),
    free: treeAt(newest, META.freeTree),
    main: treeAt(newest, META.mainTree),
  }
}

function transactionOf(meta: DataView): bigint {
  return meta.getBigUint64(META.transaction, true)
}

function treeAt(meta: DataView, at: number): TreeMeta {
  return { depth: meta.getUint16(at + TREE.depth, true), root: meta.getBigUint64(at + TREE.root, true) }
}
