/**
 * Accounts with transfers between them, made at the same time, and none is lost.
 *
 *     npm run example bank
 */
import { AteConfig, ChainBuilder, dataType, keyOf, type ObjectKey, plain, vecOf, weakTo } from 'atefs'

// Amounts are in cents: whole numbers have no rounding.
const Account = dataType('Account', plain<{ owner: string; balance: number }>())
// A reference to another object, which has its own life.
const Transfer = dataType('Transfer', plain<{ amount: number }>(), {
  links: { from: weakTo(Account), to: weakTo(Account) },
})
// `vecOf`: children in an order.
const Bank = dataType('Bank', plain<{ name: string }>(), {
  links: { accounts: vecOf(Account), transfers: vecOf(Transfer) },
})

await using chain = await new ChainBuilder(AteConfig.default()).open('bank')

// `transact` commits when the function is done, and gives back what it returned.
const { bank, ann, bob } = await chain.transact((dio) => {
  const bank = dio.store({ name: 'Savings & Sons' }, { type: Bank })
  const ann = bank.accounts.push({ owner: 'Ann', balance: 100_00 })
  const bob = bank.accounts.push({ owner: 'Bob', balance: 100_00 })
  return { bank: keyOf(bank), ann: keyOf(ann), bob: keyOf(bob) }
})

async function transfer(from: ObjectKey, to: ObjectKey, amount: number): Promise<void> {
  // When another transaction changed what this one has read, it is begun again. So no transfer overwrites another.
  await chain.transact(
    async (dio) => {
      const [payer, payee] = [await dio.load(Account, from), await dio.load(Account, to)]
      // What throws here is given up as a whole.
      if (payer.balance < amount) throw new Error(`${payer.owner} has not got ${euros(amount)}.`)
      payer.balance -= amount
      payee.balance += amount
      const made = (await dio.load(Bank, bank)).transfers.push({ amount })
      made.from.set(payer)
      made.to.set(payee)
    },
    { retries: 100 },
  )
}

function euros(cents: number): string {
  return `${(cents / 100).toFixed(2)} EUR`
}

// Ten transfers one way and five the other, all at the same time.
await Promise.all([
  ...Array.from({ length: 10 }, () => transfer(ann, bob, 5_00)),
  ...Array.from({ length: 5 }, () => transfer(bob, ann, 3_00)),
])
await transfer(ann, bob, 1_000_00).catch((error: unknown) => console.log(String(error)))

// A DIO reads the chain as it is at one moment, whatever is committed meanwhile: the sums are of that moment.
const { accounts, transfers } = await chain.dio().load(Bank, bank)
let total = 0
for await (const { owner, balance } of accounts) {
  console.log(`${owner}: ${euros(balance)}`)
  total += balance
}
console.log(`together: ${euros(total)} after ${await transfers.length()} transfers`)
