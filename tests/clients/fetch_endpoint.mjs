// Asks through fetch-sparql-endpoint: node fetch_endpoint.mjs ENDPOINT QUERY OPTIONS, these as JSON.
// Prints what came as JSON: solutions as objects, triples as lists, or true and false.
import { SparqlEndpointFetcher } from 'fetch-sparql-endpoint';

const [endpoint, query, options] = process.argv.slice(2);
const fetcher = new SparqlEndpointFetcher(JSON.parse(options));
const term = ({ termType, value, language }) => ({ termType, value, language });
const found = [];
if (/^\s*ASK/i.test(query)) {
  found.push(await fetcher.fetchAsk(endpoint, query));
} else if (/CONSTRUCT/i.test(query)) {
  for await (const quad of await fetcher.fetchTriples(endpoint, query))
    found.push([quad.subject, quad.predicate, quad.object].map(term));
} else {
  for await (const row of await fetcher.fetchBindings(endpoint, query))
    found.push(Object.fromEntries(Object.entries(row).map(([name, value]) => [name, term(value)])));
}
console.log(JSON.stringify(found));
