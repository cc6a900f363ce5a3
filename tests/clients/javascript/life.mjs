// The life, step by step: prints what was done; ends with 1 and the names of the steps that failed.
import * as administration from "./administration.mjs";
import * as objects from "./objects.mjs";
import * as work from "./work.mjs";

const failed = [];
for (const [name, step] of [objects, work, administration].flatMap((steps) => Object.entries(steps))) {
  try {
    await step();
    console.log(`done   ${name}`);
  } catch (error) {
    failed.push(name);
    const answer = JSON.stringify(error.cause?.response?.data ?? null);
    console.log(`FAILED ${name}: ${error.stack}\n${answer}`);
  }
}
if (failed.length) console.log(`failed: ${failed.join(", ")}`);
process.exitCode = failed.length ? 1 : 0;
