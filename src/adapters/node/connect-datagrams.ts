/** A datagram socket that takes only what one other side sends. */
import type { Socket } from 'node:dgram'

/** Node gives a failure (no route, a family that is switched off) to the callback, and not to listeners of 'error'. */
export function whenConnected(
  socket: Pick<Socket, 'connect'>,
  { port, address }: { port: number; address: string },
  onFailure: (error: Error) => void,
  onConnected: () => void,
): void {
  socket.connect(port, address, (...failure: unknown[]) => {
    const [error] = failure
    if (error instanceof Error) onFailure(error)
    else onConnected()
  })
}
