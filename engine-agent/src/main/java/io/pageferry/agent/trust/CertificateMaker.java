package io.pageferry.agent.trust;

import java.io.IOException;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Date;
import java.util.List;
import java.util.Optional;
import javax.security.auth.x500.X500Principal;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.CRLNumber;
import org.bouncycastle.asn1.x509.CRLReason;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.CertIOException;
import org.bouncycastle.cert.jcajce.JcaX509CRLConverter;
import org.bouncycastle.cert.jcajce.JcaX509CRLHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cert.jcajce.JcaX509v2CRLBuilder;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaContentVerifierProviderBuilder;
import org.bouncycastle.pkcs.PKCSException;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequest;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequestBuilder;

/** Makes keys, certificates and what belongs to them: P-256, signed by ECDSA with SHA-256. */
final class CertificateMaker {
    private static final String CURVE = "secp256r1";
    private static final int CURVE_BITS = 256;
    private static final String SIGNATURE = "SHA256withECDSA";
    private static final Duration CA_LIFE = Duration.ofDays(3652);
    private static final Duration HOST_LIFE = Duration.ofDays(365);
    /** A host whose clock is a little behind takes a fresh certificate too. */
    private static final Duration BEFORE = Duration.ofMinutes(5);
    /** Positive and of 20 bytes at most (RFC 5280 §4.1.2.2). */
    private static final int SERIAL_BITS = 159;

    private static final SecureRandom CHANCE = new SecureRandom();

    private CertificateMaker() {
    }

    static KeyPair keys() throws GeneralSecurityException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec(CURVE));
        return generator.generateKeyPair();
    }

    /** Makes the certificate of a CA of one level, which signs itself. */
    static X509Certificate ca(String name, KeyPair keys) throws GeneralSecurityException {
        X500Principal subject = principal(name);
        try {
            JcaX509v3CertificateBuilder builder =
                    builder(subject, subject, keys.getPublic(), CA_LIFE);
            builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(0));
            builder.addExtension(Extension.keyUsage, true,
                    new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign));
            builder.addExtension(Extension.subjectKeyIdentifier, false,
                    new JcaX509ExtensionUtils().createSubjectKeyIdentifier(keys.getPublic()));
            return signed(builder, keys.getPrivate());
        } catch (CertIOException e) {
            throw new GeneralSecurityException(e);
        }
    }

    /** Makes the certificate of a host, for either end of a connection. */
    static X509Certificate host(String name, HostNames names, PublicKey key,
            X509Certificate ca, PrivateKey caKey) throws GeneralSecurityException {
        try {
            JcaX509v3CertificateBuilder builder =
                    builder(ca.getSubjectX500Principal(), principal(name), key, HOST_LIFE);
            builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(false));
            builder.addExtension(Extension.keyUsage, true,
                    new KeyUsage(KeyUsage.digitalSignature));
            builder.addExtension(Extension.extendedKeyUsage, false,
                    new ExtendedKeyUsage(new KeyPurposeId[] {
                        KeyPurposeId.id_kp_serverAuth, KeyPurposeId.id_kp_clientAuth}));
            builder.addExtension(Extension.subjectAlternativeName, false,
                    general(names));
            builder.addExtension(Extension.authorityKeyIdentifier, false,
                    new JcaX509ExtensionUtils().createAuthorityKeyIdentifier(ca));
            return signed(builder, caKey);
        } catch (CertIOException e) {
            throw new GeneralSecurityException(e);
        }
    }

    /** Makes a request (PKCS #10), which says that its maker has the key; the CA gives names. */
    static byte[] request(KeyPair keys) throws GeneralSecurityException {
        try {
            return new JcaPKCS10CertificationRequestBuilder(principal("join"), keys.getPublic())
                    .build(new JcaContentSignerBuilder(SIGNATURE).build(keys.getPrivate()))
                    .getEncoded();
        } catch (OperatorCreationException | IOException e) {
            throw new GeneralSecurityException(e);
        }
    }

    /** Takes the key out of a request; it is one of ours, and its maker has the private one. */
    static PublicKey keyOf(byte[] request) throws GeneralSecurityException {
        try {
            JcaPKCS10CertificationRequest read = new JcaPKCS10CertificationRequest(request);
            if (!(read.getPublicKey() instanceof ECPublicKey key)
                    || key.getParams().getOrder().bitLength() != CURVE_BITS
                    || !read.isSignatureValid(
                            new JcaContentVerifierProviderBuilder().build(key))) {
                throw new InvalidKeyException("the key of the request is no P-256 key, or is not"
                        + " its maker's");
            }
            return key;
        } catch (IOException | OperatorCreationException | PKCSException e) {
            throw new GeneralSecurityException(e.getMessage(), e);
        }
    }

    /** Makes a list of revoked certificates: what an older one has, and more serial numbers. */
    static X509CRL revocations(Optional<X509CRL> older, Collection<BigInteger> serials,
            X509Certificate ca, PrivateKey caKey) throws GeneralSecurityException {
        Date now = Date.from(Instant.now());
        JcaX509v2CRLBuilder builder = new JcaX509v2CRLBuilder(ca, now);
        try {
            if (older.isPresent()) {
                builder.addCRL(new JcaX509CRLHolder(older.get()));
            }
            serials.forEach(serial -> builder.addCRLEntry(serial, now, CRLReason.unspecified));
            builder.addExtension(Extension.authorityKeyIdentifier, false,
                    new JcaX509ExtensionUtils().createAuthorityKeyIdentifier(ca));
            builder.addExtension(Extension.cRLNumber, false,
                    new CRLNumber(BigInteger.valueOf(now.getTime())));
            return new JcaX509CRLConverter().getCRL(builder.build(
                    new JcaContentSignerBuilder(SIGNATURE).build(caKey)));
        } catch (IOException | OperatorCreationException e) {
            throw new GeneralSecurityException(e);
        }
    }

    private static GeneralNames general(HostNames names) {
        List<GeneralName> all = new ArrayList<>();
        names.dns().forEach(one -> all.add(new GeneralName(GeneralName.dNSName, one)));
        names.addresses().forEach(one -> all.add(new GeneralName(GeneralName.iPAddress, one)));
        names.uris().forEach(one -> all.add(
                new GeneralName(GeneralName.uniformResourceIdentifier, one)));
        return new GeneralNames(all.toArray(GeneralName[]::new));
    }

    private static X500Principal principal(String name) {
        return new X500Principal("CN=\"" + name + "\"");
    }

    private static JcaX509v3CertificateBuilder builder(X500Principal issuer,
            X500Principal subject, PublicKey key, Duration life) {
        Instant now = Instant.now();
        return new JcaX509v3CertificateBuilder(issuer,
                new BigInteger(SERIAL_BITS, CHANCE).add(BigInteger.ONE),
                Date.from(now.minus(BEFORE)), Date.from(now.plus(life)), subject, key);
    }

    private static X509Certificate signed(JcaX509v3CertificateBuilder builder, PrivateKey key)
            throws GeneralSecurityException {
        try {
            return new JcaX509CertificateConverter().getCertificate(builder.build(
                    new JcaContentSignerBuilder(SIGNATURE).build(key)));
        } catch (OperatorCreationException e) {
            throw new GeneralSecurityException(e);
        }
    }
}
