/**
 * Notices that a mount is gone. The package says nothing when the kernel lets go, and the mountpoint must not be touched
 * by the process that serves it; so the kernel's table of mounts is read now and then.
 */
import { readFileSync } from 'node:fs'

const INTERVAL_MS = 100

/** Resolves when the mountpoint is in the table no more, having been there. */
export function mountEnd(mountpoint: string): Promise<void> {
  const field = ` ${escaped(mountpoint)} `
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (readFileSync('/proc/self/mountinfo', 'utf8').includes(field)) return
      clearInterval(timer)
      resolve()
    }, INTERVAL_MS)
  })
}

/** As proc(5) has it: space, tab, newline and backslash are written as octal numbers. */
function escaped(path: string): string {
  return path.replaceAll(/[ \t\n\\]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`)
}
