// HttpClientGet ADDRESS PORT CONNECT_MS READ_MS: one request by java.net.http.HttpClient, with its two timeouts. It says
// how it went; exit 0 if it was answered.
//
// The caller has its exception before a thread of the client has closed the connection. A service lives on, so this program
// does until then.
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.Stream;

class HttpClientGet {
    private static final long MOST_MS = 5000;

    public static void main(String[] arguments) throws Exception {
        URI server = URI.create("http://" + arguments[0] + ":" + arguments[1] + "/");
        long connectMs = Long.parseLong(arguments[2]), readMs = Long.parseLong(arguments[3]);
        HttpClient.Builder builder = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1);
        if (connectMs > 0) builder.connectTimeout(Duration.ofMillis(connectMs));
        HttpRequest.Builder request = HttpRequest.newBuilder(server);
        if (readMs > 0) request.timeout(Duration.ofMillis(readMs));
        HttpClient client = builder.build();
        try {
            client.send(request.build(), HttpResponse.BodyHandlers.ofString());
            System.out.println("answered");
        } catch (IOException error) {
            System.out.println(error.getClass().getSimpleName());
            awaitClosed();
            System.exit(1);
        }
    }

    private static void awaitClosed() throws Exception {
        long end = System.nanoTime() + MOST_MS * 1_000_000;
        while (connectionIsOpen() && System.nanoTime() < end) Thread.sleep(5);
    }

    // The inode is the tenth column; 0 once no descriptor is left. Java has sockets of other kinds, for itself.
    private static boolean connectionIsOpen() throws IOException {
        Set<String> connections = new HashSet<>();
        for (String line : Files.readAllLines(Path.of("/proc/self/net/tcp"))) {
            connections.add("socket:[" + line.trim().split("\\s+")[9] + "]");
        }
        try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
            return descriptors.map(HttpClientGet::target).anyMatch(connections::contains);
        }
    }

    private static String target(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString();
        } catch (IOException gone) {
            return "";
        }
    }
}
