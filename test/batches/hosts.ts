/** Runs the tests of the batch `hosts`. */

import { importBatch } from "../support/batches.ts";

await importBatch("hosts");
