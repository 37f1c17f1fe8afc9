/** Runs the tests of the batch `worlds`. */

import { importBatch } from "../support/batches.ts";

await importBatch("worlds");
