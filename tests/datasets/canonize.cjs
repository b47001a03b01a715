// Writes the canonical forms (RDFC-1.0) of datasets, a JSON list of N-Quads on standard input, as another such list.
// The argument is the folder of the package rdf-canonize.
const { canonize } = require(process.argv[2]);

const options = { algorithm: 'RDFC-1.0', inputFormat: 'application/n-quads', format: 'application/n-quads', maxWorkFactor: Infinity };
const chunks = [];
process.stdin.on('data', (chunk) => chunks.push(chunk));
process.stdin.on('end', async () => {
  const forms = [];
  for (const dataset of JSON.parse(Buffer.concat(chunks).toString())) forms.push(await canonize(dataset, options));
  process.stdout.write(JSON.stringify(forms));
});
