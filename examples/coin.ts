/**
 * A crypto currency: coins that only their owners can pass on, once, and a ledger that anyone can verify.
 *
 *     npm run example coin
 */
import {
  AteConfig,
  AteSession,
  ChainBuilder,
  dataType,
  type DioMut,
  errorCode,
  generateWriteKey,
  type KeyId,
  keyOf,
  type ObjectKey,
  plain,
  signerOf,
  signMessage,
  vecOf,
  writeBy,
  type WriteKey,
} from 'atefs'

interface Step {
  /** Counts the transfers of a coin. */
  number: number
  to: KeyId
  /** By the owner before, over all of the above and the coin. */
  signed: Uint8Array
}

const Transfer = dataType('Transfer', plain<Step>())
const Coin = dataType('Coin', plain<{ owner: KeyId }>(), { links: { transfers: vecOf(Transfer) } })
const Ledger = dataType('Ledger', plain<{ currency: string }>(), { links: { coins: vecOf(Coin) } })

// A key is a person. The mint's is the root key: it alone decides what is on the chain beside the coins of others.
const [mint, ann, bob, eve] = [generateWriteKey(), generateWriteKey(), generateWriteKey(), generateWriteKey()]
const sessionOf = (key: WriteKey) => new AteSession({ writeKeys: [key] })

await using chain = await new ChainBuilder(AteConfig.default().with({ rootKeys: [mint] })).open('coins')

// Three coins of the mint's. What has no rule of its own is the root key's.
const { ledger, coins } = await chain.transact(
  (dio) => {
    const ledger = dio.store({ currency: 'thaler' }, { type: Ledger })
    return { ledger: keyOf(ledger), coins: [1, 2, 3].map(() => keyOf(ledger.coins.push({ owner: mint.id }))) }
  },
  { session: sessionOf(mint) },
)
const [first, second, third] = coins
if (first === undefined || second === undefined || third === undefined) throw new Error('The mint is out of metal.')

/** What is signed: this coin, for the how-manieth time, to whom. */
function words(coin: ObjectKey, number: number, to: KeyId): Uint8Array {
  return new TextEncoder().encode(`${coin} ${number} ${to}`)
}

/** A transfer, ready to be committed. */
async function transfer(key: ObjectKey, from: WriteKey, to: KeyId): Promise<DioMut> {
  const dio = chain.dioMut(sessionOf(from))
  const coin = await dio.load(Coin, key)
  const number = await coin.transfers.length()
  coin.transfers.push({ number, to, signed: signMessage(from, words(key, number, to)) })
  coin.owner = to
  // The rule is the ownership: from here on nobody else can change the coin, not even the mint.
  dio.protect(coin, { write: writeBy.only(to) })
  return dio
}

async function tell(what: string, outcome: Promise<void>): Promise<void> {
  console.log(`${what}: ${await outcome.then(() => 'done', errorCode)}`)
}

for (const coin of coins) await tell('the mint pays Ann', (await transfer(coin, mint, ann.id)).commit())
await tell('Ann pays Bob', (await transfer(first, ann, bob.id)).commit())

// One coin for two, at the same time: only one of them can come first.
const [toBob, toEve] = [await transfer(second, ann, bob.id), await transfer(second, ann, eve.id)]
await tell('Ann pays Bob with another', toBob.commit())
await tell('and Eve with the same', toEve.commit())
await tell('and once more, later', (await transfer(second, ann, eve.id)).commit())

// Eve takes what is not hers; so does the mint.
await tell('Eve pays herself with Ann’s', (await transfer(third, eve, eve.id)).commit())
await tell('the mint takes it back', (await transfer(third, mint, mint.id)).commit())

/** What is wrong with the history of a coin, looking at nothing but signatures: whoever wrote it, with whatever program. */
function flaw(coin: ObjectKey, owner: KeyId, history: readonly Step[]): string | undefined {
  let holder = mint.id
  for (const [number, { to, signed, ...step }] of history.entries()) {
    if (step.number !== number) return `transfer ${number} is out of order`
    if (signerOf(words(coin, number, to), signed) !== holder) return `transfer ${number} is not its owner’s`
    holder = to
  }
  return holder === owner ? undefined : 'its owner is not who got it last'
}

const names = new Map([[ann.id, 'Ann'], [bob.id, 'Bob'], [eve.id, 'Eve'], [mint.id, 'the mint']]) // prettier-ignore
let last: Step[] = []
for await (const coin of (await chain.dio().load(Ledger, ledger)).coins) {
  last = []
  for await (const step of coin.transfers) last.push(step)
  const path = last.map(({ to }) => names.get(to) ?? to).join(', then ')
  console.log(`coin of ${path}: ${flaw(keyOf(coin), coin.owner, last) ?? 'verified'}`)
}

// A ledger that somebody has doctored, whatever let him do it.
const number = last.length
const forged = { number, to: eve.id, signed: signMessage(eve, words(third, number, eve.id)) }
console.log(`with a forged transfer: ${flaw(third, eve.id, [...last, forged])}`)
const replayed = { ...forged, signed: last[0]?.signed ?? forged.signed }
console.log(`with an old signature: ${flaw(third, eve.id, [...last, replayed])}`)
