/**
 * Requests and typed answers through a chain, with errors that are carried across.
 *
 *     npm run example service
 */
import { AteConfig, AteError, ChainBuilder, dataType, isAteError, plain, service } from 'atefs'

const Ping = dataType('Ping', plain<{ text: string }>())
const Pong = dataType('Pong', plain<{ text: string }>())
// A service is a name, what it is asked, and what it answers. Both sides import it.
const echo = service('echo', Ping, Pong)

await using chain = await new ChainBuilder(AteConfig.default()).open('cmd')

// Whoever serves gets requests as they come, until the signal. Several share the work.
const end = new AbortController()
const serving = chain.serve(
  echo,
  ({ text }) => {
    if (text === '') throw new AteError('BAD_ARGUMENT', 'There is nothing to echo.')
    return { text: `pong: ${text}` }
  },
  { signal: end.signal },
)

const answer = await chain.invoke(echo, { text: 'hi' })
console.log(answer.text)

try {
  await chain.invoke(echo, { text: '' }, { timeoutMs: 5000 })
} catch (error) {
  // Match on the code, never on the class or the message.
  if (!isAteError(error)) throw error
  console.log(`${error.code}: ${error.message}`)
}

end.abort()
await serving
