/** Who the end-to-end tests act as: root and an ordinary user when root runs them, else the user who does. */
import { readFileSync } from 'node:fs'

export interface User {
  title: string
  uid: number
  gid: number
}

export const isRoot = process.getuid?.() === 0

/** Unprivileged, there on every Linux, and owner of nothing. fusermount3 asks for a name, so a bare number will not do. */
const ORDINARY_ACCOUNT = 'nobody'

export const testingUser: User = {
  title: isRoot ? 'root' : 'an ordinary user',
  uid: process.getuid?.() ?? 0,
  gid: process.getgid?.() ?? 0,
}

/** The ordinary user. Acting as another one needs root. */
export function ordinaryUser(): User {
  if (!isRoot) return testingUser
  const accounts = readFileSync('/etc/passwd', 'utf8').split('\n')
  const fields = accounts.map((line) => line.split(':')).find(([name]) => name === ORDINARY_ACCOUNT)
  if (fields?.[2] === undefined || fields[3] === undefined) throw new Error(`there is no account ${ORDINARY_ACCOUNT}`)
  return { title: 'an ordinary user', uid: Number(fields[2]), gid: Number(fields[3]) }
}

/**
 * For what costs a lot and asks nothing of who the user is (that root mounts by itself, and may do more, is tested for less):
 * the one of whom more is checked. Both in a long run.
 */
export function userToTest(): User[] {
  return process.env['ATEFS_TEST_LONG'] === undefined ? [ordinaryUser()] : usersToTest()
}

export function usersToTest(): User[] {
  return isRoot ? [testingUser, ordinaryUser()] : [testingUser]
}
