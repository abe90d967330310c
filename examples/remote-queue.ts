/**
 * A queue that two processes work on, over a chain that a server keeps: each message takes effect exactly once.
 *
 *     npm run example remote-queue
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Chain, dataType, plain, Registry } from 'atefs'
import { inTwoProcesses } from './helpers/two-processes.js'

const Order = dataType('Order', plain<{ item: string }>())
const Parcel = dataType('Parcel', plain<{ item: string }>())

/** Packs what there is, until nothing is left. */
async function pack(chain: Chain): Promise<void> {
  const orders = await chain.queue('orders', Order)
  const end = new AbortController()
  // The parcel is committed together with the end of its message, whichever process handles that.
  const packing = orders.process(({ item }, dio) => void dio.store({ item }, { type: Parcel }), { signal: end.signal })
  while ((await orders.length()) > 0) await sleep(20)
  end.abort()
  await packing
}

await inTwoProcesses(
  async ({ url, config, startOther }) => {
    await using registry = new Registry(config)
    const { chain } = await registry.open(url, 'shop')
    const orders = await chain.queue('orders', Order)
    for (let i = 1; i <= 20; i++) await orders.send({ item: `book ${i}` })
    await Promise.all([startOther(), pack(chain)])
    await chain.refresh()
    const parcels: string[] = []
    for await (const { item } of chain.dio().roots(Parcel)) parcels.push(item)
    console.log(`${parcels.length} parcels with ${new Set(parcels).size} books`)
  },
  async ({ url, config }) => {
    await using registry = new Registry(config)
    const { chain } = await registry.open(url, 'shop')
    await pack(chain)
  },
)
