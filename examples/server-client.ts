/**
 * A chain that a server keeps, in two processes: what one stores the other reads.
 *
 *     npm run example server-client
 */
import { type Chain, dataType, plain, Registry } from 'atefs'
import { inTwoProcesses } from './helpers/two-processes.js'

const Greeting = dataType('Greeting', plain<{ text: string }>())

async function read(who: string, chain: Chain): Promise<void> {
  const texts: string[] = []
  for await (const { text } of chain.dio().roots(Greeting)) texts.push(text)
  console.log(`${who} reads: ${texts.sort().join(', ')}`)
}

await inTwoProcesses(
  async ({ url, config, startOther }) => {
    await using registry = new Registry(config)
    // Who opens a name first makes the chain; its passphrase opens it everywhere.
    const { chain } = await registry.open(url, 'greetings')
    await chain.transact((dio) => dio.store({ text: 'hello' }, { type: Greeting }))
    await startOther()
    // What others commit comes by itself; who wants to be sure of it waits for all that there is.
    await chain.refresh()
    await read('the first', chain)
  },
  async ({ url, config }) => {
    await using registry = new Registry(config)
    const { chain } = await registry.open(`${url}/greetings`)
    await read('the second', chain)
    await chain.transact((dio) => dio.store({ text: 'hello yourself' }, { type: Greeting }))
  },
)
