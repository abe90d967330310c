/** The files of the project as the house tests read them. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

export const projectRoot = fileURLToPath(new URL('../..', import.meta.url))

/** A file of the project: its path from the root with slashes, and its text. */
export interface SourceFile {
  path: string
  text: string
}

/** The files below `folder` that end in `extension`, in the order of their paths. */
export function filesBelow(folder: string, extension: string): SourceFile[] {
  const entries = readdirSync(join(projectRoot, folder), { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(extension))
    .map((entry) => relative(projectRoot, join(entry.parentPath, entry.name)))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(projectRoot, path), 'utf8') }))
}
