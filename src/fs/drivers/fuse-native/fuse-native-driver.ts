/** The driver on the fuse-native package. Not built yet. */
import { AteError } from '../../../engine/error.js'
import type { Driver } from '../driver.js'

export const fuseNativeDriver: Driver = () =>
  Promise.reject(new AteError('FUSE_UNAVAILABLE', 'the fuse-native driver is not built yet'))
