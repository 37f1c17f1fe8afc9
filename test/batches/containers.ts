/** Runs the tests of the batch `containers`. */

import { importBatch } from "../support/batches.ts";

await importBatch("containers");
