/** Runs the tests of the batch `slime`. */

import { importBatch } from "../support/batches.ts";

await importBatch("slime");
