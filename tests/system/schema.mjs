// Says of each body on standard input (a JSON array of texts) whether a schema takes it: node schema.mjs SCHEMA.
import { readFileSync } from "node:fs";
import Ajv from "ajv";

const check = new Ajv({ strict: true }).compile(JSON.parse(readFileSync(process.argv[2], "utf8")));
const said = JSON.parse(readFileSync(0, "utf8")).map((body) => {
  try {
    return check(JSON.parse(body));
  } catch {
    return false; // it is not JSON
  }
});
console.log(JSON.stringify(said));
