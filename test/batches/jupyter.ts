/** Runs the tests of the batch `jupyter`. */

import { importBatch } from "../support/batches.ts";

await importBatch("jupyter");
