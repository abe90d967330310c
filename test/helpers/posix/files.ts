/** Short forms of what nearly every file-system test does with a PosixClient. */
import { DT, O_CREAT, O_DIRECTORY, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } from './constants.js'
import { PosixError, type DirectoryEntry, type Path, type PosixClient } from './client.js'

/** Makes or replaces a file. */
export async function writeFile(
  c: PosixClient,
  path: Path,
  content: string | Uint8Array = '',
  mode = 0o644,
): Promise<void> {
  const fd = await c.open(path, O_WRONLY | O_CREAT | O_TRUNC, mode)
  try {
    const data = Buffer.from(content)
    for (let at = 0; at < data.length;) at += await c.pwrite(fd, data.subarray(at), at)
  } finally {
    await c.close(fd)
  }
}

export async function readFile(c: PosixClient, path: Path): Promise<Buffer> {
  const fd = await c.open(path, O_RDONLY)
  try {
    return await readAll(c, fd)
  } finally {
    await c.close(fd)
  }
}

export async function readAll(c: PosixClient, fd: number): Promise<Buffer> {
  const parts: Buffer[] = []
  for (let at = 0; ;) {
    const part = await c.pread(fd, 1 << 20, at)
    if (part.length === 0) return Buffer.concat(parts)
    parts.push(part)
    at += part.length
  }
}

export async function readText(c: PosixClient, path: Path): Promise<string> {
  return (await readFile(c, path)).toString()
}

/** Opens, calls, closes. */
export async function withOpen<T>(
  c: PosixClient,
  path: Path,
  use: (fd: number) => T | Promise<T>,
  flags = O_RDWR,
): Promise<T> {
  const fd = await c.open(path, flags)
  try {
    return await use(fd)
  } finally {
    await c.close(fd)
  }
}

/** All entries of a directory, '.' and '..' included, in the order given. */
export async function entries(c: PosixClient, path: Path): Promise<DirectoryEntry[]> {
  return withOpen(c, path, (fd) => remainingEntries(c, fd), O_RDONLY | O_DIRECTORY)
}

/** The entries of an open directory from where it stands to the end. */
export async function remainingEntries(c: PosixClient, fd: number, bytes = 32768): Promise<DirectoryEntry[]> {
  const all: DirectoryEntry[] = []
  for (;;) {
    const some = await c.getdents(fd, bytes)
    if (some.length === 0) return all
    all.push(...some)
  }
}

/** Names of a directory without '.' and '..', as latin1 text (one character a byte), sorted. */
export async function names(c: PosixClient, path: Path = '.'): Promise<string[]> {
  const all = (await entries(c, path)).map((entry) => entry.name.toString('latin1'))
  return all.filter((name) => name !== '.' && name !== '..').sort()
}

/** Removes what lies in a directory. */
export async function removeContents(c: PosixClient, path: string): Promise<void> {
  for (const entry of await entries(c, path)) {
    const name = entry.name.toString('latin1')
    if (name === '.' || name === '..') continue
    const child = Buffer.concat([Buffer.from(`${path}/`), entry.name])
    if (entry.type === DT.DIR) {
      await removeContents(c.in(child), '.')
      await c.rmdir(child)
    } else {
      await c.unlink(child)
    }
  }
}

/** The errno's name with which a call failed; undefined when it succeeded. Other errors pass. */
export async function errnoOf(call: () => unknown): Promise<string | undefined> {
  try {
    await call()
    return undefined
  } catch (error) {
    if (error instanceof PosixError) return error.code
    throw error
  }
}
