/** Of several servers one has a chain; another one that is asked for it says which. */
import { errorCode } from '../engine/error.js'
import { failureDetail } from '../sync/index.js'
import { type ChainAddress, parseServerUrl } from '../wire/index.js'

/** Opens a chain where it is said to be, or where the server there says that it is: that is asked, once. As `open`; OTHER_SERVER. */
export async function redirected<T>(address: ChainAddress, open: (at: ChainAddress) => Promise<T>): Promise<T> {
  try {
    return await open(address)
  } catch (error) {
    const other = errorCode(error) === 'OTHER_SERVER' ? failureDetail(error)?.server : undefined
    if (other === undefined || other === null) throw error
    const { scheme, path } = address.server
    // The scheme, the path and what the server must prove are as they were asked for.
    const { host, port } = parseServerUrl(`${scheme}://${other}`)
    return await open({ ...address, server: { scheme, host, port, path } })
  }
}
