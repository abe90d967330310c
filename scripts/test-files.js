/**
 * Runs the test files that ATEFS_TEST_FILES lists, one after another in this process, under one root test. The command line has
 * only the first: tap makes names of directories from it.
 */
import { pathToFileURL } from 'node:url'

for (const file of process.env.ATEFS_TEST_FILES.split(' ')) await import(pathToFileURL(file).href)
