/**
 * Who keeps a mount busy, found the way fuser(1) does, but by reading links of /proc only: their targets are text, and no
 * file of the mount is touched.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { basename } from 'node:path'

export interface MountUser {
  pid: number
  /** The program's name, or '?'. */
  program: string
}

/** Processes that have a file open, a working or root directory, or a mapping below `mountpoint`; only those we may see. */
export function findMountUsers(mountpoint: string): MountUser[] {
  const users: MountUser[] = []
  for (const name of list('/proc')) {
    if (!/^[0-9]+$/.test(name)) continue
    const process = `/proc/${name}`
    if (usesMount(process, mountpoint)) users.push({ pid: Number(name), program: programOf(process) })
  }
  return users
}

function usesMount(process: string, mountpoint: string): boolean {
  const links = [`${process}/cwd`, `${process}/root`, ...list(`${process}/fd`).map((fd) => `${process}/fd/${fd}`)]
  return links.some((link) => isBelow(readLink(link), mountpoint)) || mapsBelow(process, mountpoint)
}

function isBelow(path: string, mountpoint: string): boolean {
  return path === mountpoint || path.startsWith(`${mountpoint}/`)
}

function mapsBelow(process: string, mountpoint: string): boolean {
  try {
    return readFileSync(`${process}/maps`, 'latin1').includes(` ${Buffer.from(mountpoint).toString('latin1')}/`)
  } catch {
    return false
  }
}

function programOf(process: string): string {
  return basename(readLink(`${process}/exe`)) || '?'
}

function readLink(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}
