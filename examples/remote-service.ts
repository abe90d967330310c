/**
 * Requests of one process that another one answers, over a chain that a server keeps.
 *
 *     npm run example remote-service
 */
import { AteError, dataType, isAteError, plain, Registry, service } from 'atefs'
import { inTwoProcesses } from './helpers/two-processes.js'

const Question = dataType('Question', plain<{ text: string }>())
const Answer = dataType('Answer', plain<{ text: string }>())
const oracle = service('oracle', Question, Answer)

await inTwoProcesses(
  async ({ url, config, startOther }) => {
    await using registry = new Registry(config)
    const { chain } = await registry.open(url, 'cmd')
    const other = startOther()
    const ask = async (text: string): Promise<string> =>
      (await chain.invoke(oracle, { text }, { timeoutMs: 20_000 })).text
    console.log(await ask('What is six times seven?'))
    try {
      await ask('')
    } catch (error) {
      if (!isAteError(error)) throw error
      console.log(`${error.code}: ${error.message}`)
    }
    console.log(await ask('Goodbye'))
    await other
  },
  async ({ url, config }) => {
    await using registry = new Registry(config)
    const { chain } = await registry.open(url, 'cmd')
    const end = new AbortController()
    await chain.serve(
      oracle,
      ({ text }) => {
        if (text === '') throw new AteError('BAD_ARGUMENT', 'That is no question.')
        if (text !== 'Goodbye') return { text: '42' }
        // What was begun is ended, this answer too.
        end.abort()
        return { text: 'Goodbye.' }
      },
      { signal: end.signal },
    )
  },
)
