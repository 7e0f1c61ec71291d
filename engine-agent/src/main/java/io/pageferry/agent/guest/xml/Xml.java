package io.pageferry.agent.guest.xml;

import io.pageferry.core.words.Printable;
import java.io.IOException;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.xml.XMLConstants;
import javax.xml.parsers.DocumentBuilder;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.xml.sax.InputSource;
import org.xml.sax.SAXException;

/** XML without a document type, and so without entities: nothing but its text is read. */
public final class Xml {
    private Xml() {
    }

    /**
     * Reads a document.
     *
     * @param text from anybody: nothing in it is trusted; the caller bounds its length
     * @param name of the element that it has to begin with, without a prefix
     * @return that element
     * @throws IOException in one line, where it is none such
     */
    public static Element parse(String text, String name) throws IOException {
        try {
            DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
            factory.setNamespaceAware(true);
            factory.setFeature(XMLConstants.FEATURE_SECURE_PROCESSING, true);
            factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
            DocumentBuilder builder = factory.newDocumentBuilder();
            builder.setErrorHandler(null); // it would print to the terminal
            Element root = builder.parse(new InputSource(new StringReader(text)))
                    .getDocumentElement();
            if (!root.getLocalName().equals(name)) {
                throw new IOException("it begins with <" + Printable.of(root.getTagName()) + ">");
            }
            return root;
        } catch (SAXException | ParserConfigurationException e) {
            throw new IOException(Printable.of(String.valueOf(e.getMessage())), e);
        }
    }

    /**
     * Finds the elements of a name directly in another one.
     *
     * @param in   that one
     * @param name without a prefix
     * @return them, in order
     */
    public static List<Element> children(Element in, String name) {
        List<Element> found = new ArrayList<>();
        for (Node one = in.getFirstChild(); one != null; one = one.getNextSibling()) {
            if (one instanceof Element element && name.equals(element.getLocalName())) {
                found.add(element);
            }
        }
        return found;
    }

    /**
     * Finds the first of them.
     *
     * @param in   as above
     * @param name as above
     * @return it, where there is one
     */
    public static Optional<Element> child(Element in, String name) {
        return children(in, name).stream().findFirst();
    }

    /**
     * Reads the text of the first of them.
     *
     * @param in   as above
     * @param name as above
     * @return the text, without blanks around it; empty where there is no such element
     */
    public static String text(Element in, String name) {
        return child(in, name).map(one -> one.getTextContent().strip()).orElse("");
    }

    /**
     * Writes text so that it stands for itself, also within quotes.
     *
     * @param text of no control characters
     * @return the text for a document
     */
    public static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
                .replace("\"", "&quot;").replace("'", "&apos;");
    }
}
