import java.io.*;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.concurrent.TimeUnit;
import org.apache.jena.query.*;
import org.apache.jena.riot.*;
import org.apache.jena.sparql.core.*;

/**
 * Answers queries with Jena ARQ, one a line, over a dataset in memory: the lines are those that tests/differential/
 * engines.py writes and reads. Run as one file, without being compiled first: java -cp ... JenaAnswers.java
 */
public class JenaAnswers {
    private static Dataset dataset = DatasetFactory.create();

    public static void main(String[] arguments) throws IOException {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream answers = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
        for (String line; (line = lines.readLine()) != null; ) {
            String[] parts = line.split("\t");
            try {
                answers.println(parts[0].equals("LOAD") ? load(parts[1]) : ask(decoded(parts[1])));
            } catch (Throwable failure) {
                answers.println("ERROR\t" + failure.getClass().getSimpleName() + "\t" + encoded("" + failure.getMessage()));
            }
        }
    }

    private static String load(String path) {
        dataset = DatasetFactory.create();
        RDFDataMgr.read(dataset, path, Lang.NQUADS);
        return "OK\tloaded\t";
    }

    private static String ask(String text) {
        Query query = QueryFactory.create(text, "http://e/", Syntax.syntaxSPARQL_11);
        DatasetGraph asked = dataset.asDatasetGraph();
        if (query.hasDatasetDescription()) {
            asked = DynamicDatasets.dynamicDataset(query.getDatasetDescription(), asked, false);
            query = QueryFactory.create(text, "http://e/", Syntax.syntaxSPARQL_11);
            query.getGraphURIs().clear();
            query.getNamedGraphURIs().clear();
        }
        ByteArrayOutputStream output = new ByteArrayOutputStream();
        String kind = "results";
        try (QueryExecution execution =
                QueryExecution.dataset(DatasetFactory.wrap(asked)).query(query).timeout(20, TimeUnit.SECONDS).build()) {
            if (query.isAskType()) {
                ResultSetFormatter.outputAsJSON(output, execution.execAsk());
            } else if (query.isSelectType()) {
                ResultSetFormatter.outputAsJSON(output, execution.execSelect());
            } else {
                kind = "graph";
                RDFDataMgr.write(output, execution.execConstruct(), Lang.NTRIPLES);
            }
        }
        return "OK\t" + kind + "\t" + Base64.getEncoder().encodeToString(output.toByteArray());
    }

    private static String decoded(String text) {
        return new String(Base64.getDecoder().decode(text), StandardCharsets.UTF_8);
    }

    private static String encoded(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }
}
