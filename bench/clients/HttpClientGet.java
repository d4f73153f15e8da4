// HttpClientGet ADDRESS PORT CONNECT_MS READ_MS: one request by java.net.http.HttpClient, with its two timeouts. It says
// how it went; exit 0 if it was answered.
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;

class HttpClientGet {
    public static void main(String[] arguments) throws InterruptedException {
        URI server = URI.create("http://" + arguments[0] + ":" + arguments[1] + "/");
        long connectMs = Long.parseLong(arguments[2]), readMs = Long.parseLong(arguments[3]);
        HttpClient.Builder client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1);
        if (connectMs > 0) client.connectTimeout(Duration.ofMillis(connectMs));
        HttpRequest.Builder request = HttpRequest.newBuilder(server);
        if (readMs > 0) request.timeout(Duration.ofMillis(readMs));
        try {
            client.build().send(request.build(), HttpResponse.BodyHandlers.ofString());
            System.out.println("answered");
        } catch (IOException error) {
            System.out.println(error.getClass().getSimpleName());
            System.exit(1);
        }
    }
}
