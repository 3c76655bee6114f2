import com.azure.core.util.Context;
import com.azure.security.keyvault.keys.cryptography.CryptographyClient;
import com.azure.security.keyvault.keys.cryptography.models.DecryptParameters;
import com.azure.security.keyvault.keys.cryptography.models.EncryptParameters;
import com.azure.security.keyvault.keys.cryptography.models.EncryptResult;
import com.azure.security.keyvault.keys.cryptography.models.EncryptionAlgorithm;
import com.azure.security.keyvault.keys.cryptography.models.KeyWrapAlgorithm;
import com.azure.security.keyvault.keys.cryptography.models.SignatureAlgorithm;
import java.security.Key;
import java.security.KeyPair;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;
import java.util.Arrays;
import java.util.Map;
import javax.crypto.Cipher;
import javax.crypto.spec.OAEPParameterSpec;
import javax.crypto.spec.PSource;

/** Who makes and checks: the vault, or this program. */
interface Side {
	byte[] MESSAGE = "message".getBytes(), OTHER = "massage".getBytes(), ABOUT = "about".getBytes();

	byte[] sign(String algorithm, byte[] message) throws Exception;

	boolean verify(String algorithm, byte[] message, byte[] signature) throws Exception;

	EncryptResult encrypt(String algorithm, byte[] plain) throws Exception;

	byte[] decrypt(String algorithm, EncryptResult sealed) throws Exception;

	byte[] wrap(String algorithm, byte[] plain) throws Exception;

	byte[] unwrap(String algorithm, byte[] wrapped) throws Exception;

	static void run(String use, String algorithm, Side maker, Side checker) throws Exception {
		byte[] plain = random(32);
		switch (use) {
		case "sign" -> {
			byte[] signature = maker.sign(algorithm, MESSAGE);
			Interop.check(checker.verify(algorithm, MESSAGE, signature), "not verified");
			Interop.check(!checker.verify(algorithm, OTHER, signature), "another message is verified");
		}
		case "encrypt" -> Interop.check(Arrays.equals(checker.decrypt(algorithm, maker.encrypt(algorithm, plain)), plain),
		    "it came back changed");
		default -> Interop.check(Arrays.equals(checker.unwrap(algorithm, maker.wrap(algorithm, plain)), plain),
		    "it came back changed");
		}
	}

	static byte[] random(int length) {
		byte[] octets = new byte[length];
		new SecureRandom().nextBytes(octets);
		return octets;
	}

	/** SHA256, from RS256 or ES256K. */
	static String hashOf(String algorithm) {
		return "SHA" + algorithm.substring(2, 5);
	}

	static byte[] digest(String algorithm, byte[] message) throws Exception {
		return MessageDigest.getInstance(hashOf(algorithm).replace("SHA", "SHA-")).digest(message);
	}

	/** By Azure's client: in the vault, or here if it was given a whole key. */
	class Azure implements Side {
		private interface Seals {
			EncryptParameters with(byte[] plain, byte[] more);
		}

		private interface Opens {
			DecryptParameters with(EncryptResult sealed);
		}

		// The second parameter is the IV of CBC, and what GCM authenticates besides.
		private static final Map<String, Seals> SEALS = Map.of(
		    "A128GCM", EncryptParameters::createA128GcmParameters, "A192GCM", EncryptParameters::createA192GcmParameters,
		    "A256GCM", EncryptParameters::createA256GcmParameters, "A128CBC", EncryptParameters::createA128CbcParameters,
		    "A192CBC", EncryptParameters::createA192CbcParameters, "A256CBC", EncryptParameters::createA256CbcParameters,
		    "A128CBCPAD", EncryptParameters::createA128CbcPadParameters,
		    "A192CBCPAD", EncryptParameters::createA192CbcPadParameters,
		    "A256CBCPAD", EncryptParameters::createA256CbcPadParameters);

		private static final Map<String, Opens> OPENS = Map.of(
		    "A128GCM", s -> DecryptParameters.createA128GcmParameters(s.getCipherText(), s.getIv(), s.getAuthenticationTag(), ABOUT),
		    "A192GCM", s -> DecryptParameters.createA192GcmParameters(s.getCipherText(), s.getIv(), s.getAuthenticationTag(), ABOUT),
		    "A256GCM", s -> DecryptParameters.createA256GcmParameters(s.getCipherText(), s.getIv(), s.getAuthenticationTag(), ABOUT),
		    "A128CBC", s -> DecryptParameters.createA128CbcParameters(s.getCipherText(), s.getIv()),
		    "A192CBC", s -> DecryptParameters.createA192CbcParameters(s.getCipherText(), s.getIv()),
		    "A256CBC", s -> DecryptParameters.createA256CbcParameters(s.getCipherText(), s.getIv()),
		    "A128CBCPAD", s -> DecryptParameters.createA128CbcPadParameters(s.getCipherText(), s.getIv()),
		    "A192CBCPAD", s -> DecryptParameters.createA192CbcPadParameters(s.getCipherText(), s.getIv()),
		    "A256CBCPAD", s -> DecryptParameters.createA256CbcPadParameters(s.getCipherText(), s.getIv()));

		private final CryptographyClient client;

		Azure(CryptographyClient client) {
			this.client = client;
		}

		@Override
		public byte[] sign(String algorithm, byte[] message) throws Exception {
			return client.sign(SignatureAlgorithm.fromString(algorithm), digest(algorithm, message)).getSignature();
		}

		@Override
		public boolean verify(String algorithm, byte[] message, byte[] signature) throws Exception {
			return client.verify(SignatureAlgorithm.fromString(algorithm), digest(algorithm, message), signature).isValid();
		}

		@Override
		public EncryptResult encrypt(String algorithm, byte[] plain) throws Exception {
			if (!SEALS.containsKey(algorithm)) {
				return client.encrypt(EncryptionAlgorithm.fromString(algorithm), plain);
			}
			byte[] more = algorithm.endsWith("GCM") ? ABOUT : random(16);
			EncryptResult made = client.encrypt(SEALS.get(algorithm).with(plain, more), Context.NONE);
			return algorithm.endsWith("GCM") ? made
			    : new EncryptResult(made.getCipherText(), made.getAlgorithm(), made.getKeyId(), more, null, null);
		}

		@Override
		public byte[] decrypt(String algorithm, EncryptResult sealed) throws Exception {
			if (!OPENS.containsKey(algorithm)) {
				return client.decrypt(EncryptionAlgorithm.fromString(algorithm), sealed.getCipherText()).getPlainText();
			}
			return client.decrypt(OPENS.get(algorithm).with(sealed), Context.NONE).getPlainText();
		}

		@Override
		public byte[] wrap(String algorithm, byte[] plain) throws Exception {
			return client.wrapKey(KeyWrapAlgorithm.fromString(algorithm), plain).getEncryptedKey();
		}

		@Override
		public byte[] unwrap(String algorithm, byte[] wrapped) throws Exception {
			return client.unwrapKey(KeyWrapAlgorithm.fromString(algorithm), wrapped).getKey();
		}
	}

	/** An RSA key here: Azure's library encrypts and wraps with it, but neither signs nor knows RSA-OAEP-256. */
	final class Rsa extends Azure {
		private final KeyPair pair;

		Rsa(CryptographyClient client, KeyPair pair) {
			super(client);
			this.pair = pair;
		}

		private static Signature by(String algorithm) throws Exception {
			String hash = hashOf(algorithm);
			if (algorithm.startsWith("RS")) {
				return Signature.getInstance(hash + "withRSA");
			}
			Signature pss = Signature.getInstance("RSASSA-PSS");
			String dashed = hash.replace("SHA", "SHA-");
			int length = MessageDigest.getInstance(dashed).getDigestLength();
			pss.setParameter(new PSSParameterSpec(dashed, "MGF1", new MGF1ParameterSpec(dashed), length, 1));
			return pss;
		}

		@Override
		public byte[] sign(String algorithm, byte[] message) throws Exception {
			Signature signature = by(algorithm);
			signature.initSign(pair.getPrivate());
			signature.update(message);
			return signature.sign();
		}

		@Override
		public boolean verify(String algorithm, byte[] message, byte[] made) throws Exception {
			Signature signature = by(algorithm);
			signature.initVerify(pair.getPublic());
			signature.update(message);
			return signature.verify(made);
		}

		private byte[] oaep256(int mode, Key key, byte[] value) throws Exception {
			Cipher cipher = Cipher.getInstance("RSA/ECB/OAEPPadding");
			cipher.init(mode, key, new OAEPParameterSpec("SHA-256", "MGF1", MGF1ParameterSpec.SHA256, PSource.PSpecified.DEFAULT));
			return cipher.doFinal(value);
		}

		@Override
		public EncryptResult encrypt(String algorithm, byte[] plain) throws Exception {
			return algorithm.equals("RSA-OAEP-256")
			    ? new EncryptResult(wrap(algorithm, plain), EncryptionAlgorithm.RSA_OAEP_256, null)
			    : super.encrypt(algorithm, plain);
		}

		@Override
		public byte[] decrypt(String algorithm, EncryptResult sealed) throws Exception {
			return algorithm.equals("RSA-OAEP-256") ? unwrap(algorithm, sealed.getCipherText()) : super.decrypt(algorithm, sealed);
		}

		@Override
		public byte[] wrap(String algorithm, byte[] plain) throws Exception {
			return algorithm.equals("RSA-OAEP-256") ? oaep256(Cipher.ENCRYPT_MODE, pair.getPublic(), plain)
			    : super.wrap(algorithm, plain);
		}

		@Override
		public byte[] unwrap(String algorithm, byte[] wrapped) throws Exception {
			return algorithm.equals("RSA-OAEP-256") ? oaep256(Cipher.DECRYPT_MODE, pair.getPrivate(), wrapped)
			    : super.unwrap(algorithm, wrapped);
		}
	}
}
