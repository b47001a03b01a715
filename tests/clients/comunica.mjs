// Asks a SPARQL endpoint through Comunica: node comunica.mjs ENDPOINT QUERY MEDIA_TYPE
// Told only the address, Comunica reads the service description there to learn that it is an endpoint.
import { QueryEngine } from '@comunica/query-sparql';

const [endpoint, query, mediaType] = process.argv.slice(2);
const engine = new QueryEngine();
const result = await engine.query(query, { sources: [endpoint], lenient: false });
const { data } = await engine.resultToString(result, mediaType);
data.pipe(process.stdout);
