/**
 * Makes a directory and those above it. Not mkdir's `recursive`: where a file system answers ENOENT although the parent is
 * there (/proc does), Node 20 tries for ever.
 */
import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/** A directory that is there already is fine. Throws the system's error otherwise. What it made is put into `made`, the innermost first. */
export function makeDirectory(path: string, mode: number, made: string[] = []): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return
  const parent = dirname(path)
  if (parent !== path) makeDirectory(parent, mode, made)
  try {
    mkdirSync(path, mode)
    made.unshift(path)
  } catch (error) {
    // Somebody else may have made it meanwhile.
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) throw error
  }
}
