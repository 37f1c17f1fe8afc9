/** Runs the tests of the batch `launch`. */

import { importBatch } from "../support/batches.ts";

await importBatch("launch");
