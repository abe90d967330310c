/**
 * What the log says of records that cannot be decoded, once for each inode: the program gets an I/O error, which says
 * nothing of why. Inode numbers only: names are not for the log, and `fsck` finds the paths.
 */
import type { Ino } from './types.js'

export function contentDamaged(ino: Ino): string {
  return `Content of inode ${ino} cannot be read: it is damaged. Run fsck.`
}

export function entryDamaged(directory: Ino): string {
  return `An entry of directory ${directory} cannot be read: its record is damaged. Run fsck.`
}

export function xattrDamaged(ino: Ino): string {
  return `An extended attribute of inode ${ino} cannot be read: its record is damaged. Run fsck.`
}
