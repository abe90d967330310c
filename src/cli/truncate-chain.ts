/** Deletes everything that a chain holds. Each step is a commit of its own: what is interrupted is begun again. */
import type { Chain } from '../engine/dio/chain.js'
import type { ObjectKey } from '../engine/dio/object-key.js'
import type { RecordReader } from '../engine/transaction/record-reader.js'
import { errorCode } from '../engine/error.js'
import type { ChainFileSystem } from '../fs/vfs/file-system.js'
import { type Ino, type Name, ROOT_INO } from '../fs/vfs/types.js'
import { S_IFDIR, entryType } from '../fs/vfs/inodes/modes.js'
import { objectTree } from './dump/object-tree.js'

export interface Truncated {
  /** Objects, or names of files and directories. */
  deleted: number
  /** Objects that rules protect. */
  kept: number
}

type OnDeleted = (deleted: number) => void

const OBJECTS_AT_ONCE = 256

/** Children before their parents, so that no commit is larger than others. Objects that need a key to be deleted stay. */
export async function deleteObjects(chain: Chain, reader: RecordReader, onDeleted: OnDeleted): Promise<Truncated> {
  const done: Truncated = { deleted: 0, kept: 0 }
  const remove = async (keys: readonly ObjectKey[]): Promise<void> => {
    if (keys.length === 0) return
    const isDeleted = await tryDelete(chain, keys)
    if (isDeleted) done.deleted += keys.length
    else if (keys.length === 1) done.kept++
    else for (const key of keys) await remove([key])
    onDeleted(done.deleted)
  }
  let keys: ObjectKey[] = []
  for (const key of childrenFirst(reader)) {
    keys.push(key)
    if (keys.length < OBJECTS_AT_ONCE) continue
    await remove(keys)
    keys = []
  }
  await remove(keys)
  return done
}

async function tryDelete(chain: Chain, keys: readonly ObjectKey[]): Promise<boolean> {
  try {
    await chain.transact((dio) => {
      for (const key of keys) dio.delete(key)
    })
    return true
  } catch (error) {
    if (errorCode(error) === 'NOT_AUTHORIZED') return false
    throw error
  }
}

/** Read while those that were given out are deleted: only what comes behind them is looked at. */
function* childrenFirst(reader: RecordReader): Generator<ObjectKey> {
  const open: { depth: number; key: ObjectKey }[] = []
  for (const line of objectTree(reader)) {
    for (let last = open.at(-1); last !== undefined && last.depth >= line.depth; last = open.at(-1)) {
      open.pop()
      yield last.key
    }
    if (!('broken' in line)) open.push(line)
  }
  for (const { key } of open.reverse()) yield key
}

/** What removes it all may do so: whoever opens a chain has all rights to it. */
const ROOT_CALLER = { uid: 0, gid: 0, pid: 0 }

/** All below the root directory, which stays. */
export async function deleteFiles(files: ChainFileSystem, onDeleted: OnDeleted): Promise<Truncated> {
  let deleted = 0
  const open: { ino: Ino; parent: Ino; name: Name | undefined }[] = [
    { ino: ROOT_INO, parent: ROOT_INO, name: undefined },
  ]
  for (let directory = open.at(-1); directory !== undefined; directory = open.at(-1)) {
    const below: typeof open = []
    for (const { name, ino, type } of entriesOf(files, directory.ino)) {
      if (type === entryType(S_IFDIR)) below.push({ ino, parent: directory.ino, name })
      else {
        await files.unlink(directory.ino, name, ROOT_CALLER)
        onDeleted(++deleted)
      }
    }
    for (const each of below) open.push(each)
    if (below.length > 0) continue
    open.pop()
    if (directory.name === undefined) break
    await files.removeDirectory(directory.parent, directory.name, ROOT_CALLER)
    onDeleted(++deleted)
  }
  await files.sync()
  return { deleted, kept: 0 }
}

interface Listed {
  name: Name
  ino: Ino
  type: number
}

function entriesOf(files: ChainFileSystem, directory: Ino): Listed[] {
  const entries: Listed[] = []
  files.readDirectory(directory, 0, (name, ino, type) => {
    if (name !== '.' && name !== '..') entries.push({ name, ino, type })
    return true
  })
  return entries
}
