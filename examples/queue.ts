/**
 * A queue whose messages take effect exactly once, also when their handler fails.
 *
 *     npm run example queue
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { AteConfig, ChainBuilder, dataType, plain } from 'atefs'

const Order = dataType('Order', plain<{ item: string }>())
const Parcel = dataType('Parcel', plain<{ item: string }>())

await using chain = await new ChainBuilder(AteConfig.default()).open('shop')

const orders = await chain.queue('orders', Order)
for (const item of ['a book', 'a lamp', 'a chair']) await orders.send({ item })

let isBroken = true
const end = new AbortController()
const packing = orders.process(
  (order, dio) => {
    console.log(`packing ${order.item}`)
    // What a handler stores through its `dio` is committed together with the end of the message, or not at all.
    dio.store({ item: order.item }, { type: Parcel })
    if (order.item !== 'a lamp' || !isBroken) return
    isBroken = false
    // So this parcel comes to nothing; the message is tried again a little later, and holds up no other.
    throw new Error('The lamp broke.')
  },
  // Messages are handled as they come, until the signal.
  { signal: end.signal },
)

while ((await orders.length()) > 0) await sleep(20)
end.abort()
await packing

const parcels: string[] = []
for await (const { item } of chain.dio().roots(Parcel)) parcels.push(item)
console.log(`parcels: ${parcels.sort().join(', ')}`)
