/** Runs the tests of the batch `train`. */

import { importBatch } from "../support/batches.ts";

await importBatch("train");
