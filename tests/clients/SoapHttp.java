// The JDK's HTTP client and XML writer, which offer HTTP/2 at first. URL OPERATION NAME=VALUE...; prints the call id.
import java.io.ByteArrayInputStream;
import java.io.StringWriter;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.stream.XMLOutputFactory;
import javax.xml.stream.XMLStreamWriter;
import org.w3c.dom.Document;

public class SoapHttp {
    static final String SOAP = "http://schemas.xmlsoap.org/soap/envelope/";

    public static void main(String[] given) throws Exception {
        StringWriter text = new StringWriter();
        XMLStreamWriter xml = XMLOutputFactory.newInstance().createXMLStreamWriter(text);
        xml.writeStartDocument("utf-8", "1.0");
        xml.writeStartElement("s", "Envelope", SOAP);
        xml.writeNamespace("s", SOAP);
        xml.writeStartElement("s", "Body", SOAP);
        xml.writeStartElement(given[1]);
        xml.writeDefaultNamespace("urn:cti-gateway:wconnect:1");
        for (int i = 2; i < given.length; i++) {
            String[] pair = given[i].split("=", 2);
            xml.writeStartElement(pair[0]);
            xml.writeCharacters(pair[1]);
            xml.writeEndElement();
        }
        xml.writeEndDocument();
        HttpRequest request = HttpRequest.newBuilder(URI.create(given[0]))
            .header("Content-Type", "text/xml; charset=utf-8").header("SOAPAction", "\"\"")
            .POST(HttpRequest.BodyPublishers.ofString(text.toString())).build();
        byte[] answer = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofByteArray()).body();
        DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
        factory.setNamespaceAware(true);
        Document document = factory.newDocumentBuilder().parse(new ByteArrayInputStream(answer));
        boolean fault = document.getElementsByTagNameNS(SOAP, "Fault").getLength() > 0;
        String name = fault ? "faultstring" : "id";
        String told = document.getElementsByTagNameNS("*", name).item(0).getTextContent();
        System.out.println((fault ? "fault: " : "") + told);
        System.exit(fault ? 1 : 0);
    }
}
