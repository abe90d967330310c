/** The first byte of every packet. */
export const PACKET = {
  CLIENT_HELLO: 1,
  SERVER_HELLO: 2,
  KEY: 3,
  CLIENT_FRAME: 4,
  SERVER_FRAME: 5,
  REFUSAL: 6,
} as const

export type Role = 'client' | 'server'

export function frameTypeOf(role: Role): number {
  return role === 'client' ? PACKET.CLIENT_FRAME : PACKET.SERVER_FRAME
}

export function otherRole(role: Role): Role {
  return role === 'client' ? 'server' : 'client'
}
