/** Asks before what cannot be undone. */
import { createInterface } from 'node:readline/promises'
import { AteError } from '../engine/error.js'
import { EXIT } from './exit-codes.js'

/** BAD_ARGUMENT where nobody can be asked, or the answer is not yes. Ctrl-C ends the program. */
export async function demandConsent(question: string): Promise<void> {
  const { stdin: input, stderr: output } = process
  if (!input.isTTY)
    throw new AteError('BAD_ARGUMENT', 'nobody can be asked here', { hint: 'Add --yes to do it without a question.' })
  const asking = createInterface({ input, output })
  asking.once('SIGINT', () => {
    asking.close()
    process.exit(EXIT.INTERRUPTED)
  })
  // At the end of input nobody answers any more.
  const ended = new Promise<string>((resolve) => asking.once('close', () => resolve('')))
  const answer = await Promise.race([asking.question(`${question} Type yes: `), ended])
  asking.close()
  if (answer.trim() !== 'yes') throw new AteError('BAD_ARGUMENT', 'nothing was done: the answer was not yes')
}
