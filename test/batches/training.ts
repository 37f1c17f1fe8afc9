/** Runs the tests of the batch `training`. */

import { importBatch } from "../support/batches.ts";

await importBatch("training");
