// Asks through sparql-http-client: node http_client.mjs ADDRESS OPERATION QUERY
// OPERATION is get, postUrlencoded or postDirect, or graph, which reads the graph of the IRI that stands for QUERY.
// Prints what came as JSON: solutions as objects, triples as lists, or true and false.
import ParsingClient from 'sparql-http-client/ParsingClient.js';
import StreamClient from 'sparql-http-client/StreamClient.js';

const [address, operation, query] = process.argv.slice(2);
const options = { endpointUrl: `${address}/sparql`, storeUrl: `${address}/graph-store` };
const client = new ParsingClient(options);
const term = ({ termType, value, language }) => ({ termType, value, language });
const triple = (quad) => [quad.subject, quad.predicate, quad.object].map(term);
let found;
if (operation === 'graph') {
  found = [];
  for await (const quad of new StreamClient(options).store.get({ termType: 'NamedNode', value: query })) found.push(triple(quad));
} else if (/^\s*ASK/i.test(query)) {
  found = [await client.query.ask(query, { operation })];
} else if (/CONSTRUCT/i.test(query)) {
  found = [...await client.query.construct(query, { operation })].map(triple);
} else {
  found = (await client.query.select(query, { operation }))
    .map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, term(value)])));
}
console.log(JSON.stringify(found));
