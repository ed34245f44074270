// Axis 1.4. URL MODE OPERATION NAME=VALUE...; modes: position (no names), named, multiref. Prints the call id.
import javax.xml.namespace.QName;
import javax.xml.rpc.ParameterMode;
import org.apache.axis.AxisFault;
import org.apache.axis.Constants;
import org.apache.axis.client.Call;
import org.apache.axis.client.Service;
import org.apache.axis.encoding.ser.BeanDeserializerFactory;
import org.apache.axis.encoding.ser.BeanSerializerFactory;

public class SoapAxis {
    static final QName RETORNO = new QName("urn:WConnect", "Retorno");

    public static class Retorno {
        private String status, mensagem;
        private long id;
        public String getStatus() { return status; }
        public void setStatus(String value) { status = value; }
        public String getMensagem() { return mensagem; }
        public void setMensagem(String value) { mensagem = value; }
        public long getId() { return id; }
        public void setId(long value) { id = value; }
    }

    /** Axis refers to whatever is no simple type, such as a structure. */
    public static class Pedido {
        private String ramal, telefone;
        public String getRamal() { return ramal; }
        public void setRamal(String value) { ramal = value; }
        public String getTelefone() { return telefone; }
        public void setTelefone(String value) { telefone = value; }
    }

    static void register(Call call, Class<?> type, QName name) {
        call.registerTypeMapping(type, name,
            new BeanSerializerFactory(type, name), new BeanDeserializerFactory(type, name));
    }

    public static void main(String[] given) throws Exception {
        String mode = given[1], operation = given[2];
        Call call = (Call) new Service().createCall();
        call.setTargetEndpointAddress(given[0]);
        call.setOperationName(new QName("urn:WConnect", operation));
        call.setSOAPActionURI("urn:WConnect#" + operation);
        register(call, Retorno.class, RETORNO);
        register(call, Pedido.class, new QName("urn:WConnect", "Pedido"));
        Object[] values = new Object[given.length - 3];
        Pedido pedido = new Pedido();
        for (int i = 3; i < given.length; i++) {
            String[] pair = given[i].split("=", 2);
            values[i - 3] = pair[1];
            if (pair[0].equals("ramal")) pedido.setRamal(pair[1]);
            if (pair[0].equals("telefone")) pedido.setTelefone(pair[1]);
            if (mode.equals("named")) call.addParameter(pair[0], Constants.XSD_STRING, ParameterMode.IN);
        }
        if (mode.equals("named")) call.setReturnType(RETORNO);
        try {
            Object answer = call.invoke(mode.equals("multiref") ? new Object[] {pedido} : values);
            System.out.println(((Retorno) answer).getId());
        } catch (AxisFault fault) {
            System.out.println("fault: " + fault.getFaultString());
            System.exit(1);
        }
    }
}
