/**
 * Runs the test files that ATEFS_TEST_FILES lists, one after another in this process, under one root test. The command line has
 * only the first: tap makes names of directories from it. Which file the tests are of is told in between.
 */
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { FILE_COMMENT } from './tap-filter.js'

for (const file of process.env.ATEFS_TEST_FILES.split(' ')) {
  t.comment(`${FILE_COMMENT}${file}`)
  await import(pathToFileURL(file).href)
}
