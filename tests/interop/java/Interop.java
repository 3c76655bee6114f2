// The part of tests/clients/matrix.py that Azure's libraries for Java do: here, from a whole JWK
// (where the library computes nothing itself, by the JDK), and in the vault.

import com.azure.core.credential.TokenCredential;
import com.azure.identity.ClientSecretCredentialBuilder;
import com.azure.json.JsonProviders;
import com.azure.json.JsonReader;
import com.azure.json.JsonWriter;
import com.azure.security.keyvault.keys.KeyClient;
import com.azure.security.keyvault.keys.KeyClientBuilder;
import com.azure.security.keyvault.keys.cryptography.CryptographyClient;
import com.azure.security.keyvault.keys.cryptography.CryptographyClientBuilder;
import com.azure.security.keyvault.keys.models.CreateOctKeyOptions;
import com.azure.security.keyvault.keys.models.ImportKeyOptions;
import com.azure.security.keyvault.keys.models.JsonWebKey;
import com.azure.security.keyvault.keys.models.KeyOperation;
import com.azure.security.keyvault.keys.models.KeyVaultKey;
import com.azure.security.keyvault.secrets.SecretClientBuilder;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

public final class Interop {
	private static final List<String> DIRECTIONS = List.of("vault-client", "client-vault", "vault-vault");

	interface Work {
		void run() throws Exception;
	}

	/** Prints a line for what is tried, and whether it went well. */
	static boolean attempt(Work work, String... words) {
		String result = "ok";
		try {
			work.run();
		} catch (Exception | LinkageError error) {
			result = error.toString().replaceAll("\\s+", " ");
		}
		System.out.println("java\t" + String.join("\t", words) + "\t" + result);
		return result.equals("ok");
	}

	static void check(boolean holds, Object what) {
		if (!holds) {
			throw new IllegalStateException(String.valueOf(what));
		}
	}

	@SuppressWarnings("unchecked")
	private static <T> T in(Object map, String name) {
		return (T) ((Map<String, Object>) map).get(name);
	}

	private static JsonWebKey webKey(Object members) throws Exception {
		StringWriter text = new StringWriter();
		try (JsonWriter writer = JsonProviders.createWriter(text)) {
			writer.writeUntyped(members);
		}
		try (JsonReader reader = JsonProviders.createReader(text.toString())) {
			return JsonWebKey.fromJson(reader);
		}
	}

	private static KeyVaultKey make(KeyClient keys, Object key, JsonWebKey whole, KeyOperation[] operations) {
		String name = "java-" + in(key, "name");
		Boolean hsm = in(key, "hsm");
		if (whole != null) {
			return keys.importKey(new ImportKeyOptions(name, whole.setKeyOps(List.of(operations)))
			    .setHardwareProtected(hsm));
		}
		return keys.createOctKey(new CreateOctKeyOptions(name).setHardwareProtected(hsm)
		    .setKeySize(((Number) in(key, "bits")).intValue()).setKeyOperations(operations));
	}

	private static void tryKey(KeyClient keys, TokenCredential credential, Object key) throws Exception {
		String type = in(key, "type");
		Object jwk = in(key, "jwk");
		JsonWebKey whole = jwk == null ? null : webKey(jwk);
		List<String> names = in(key, "ops");
		KeyVaultKey made = make(keys, key, whole, names.stream().map(KeyOperation::fromString).toArray(KeyOperation[]::new));
		// Without a cached key the library computes nothing itself.
		Side vault = new Side.Azure(new CryptographyClientBuilder().keyIdentifier(made.getId()).credential(credential)
		    .disableKeyCaching().buildClient());
		Side client = null;
		// The JDK has had no such curve since version 16.
		if (whole != null && !type.endsWith("P-256K")) {
			CryptographyClient local = new CryptographyClientBuilder().jsonWebKey(whole).buildClient();
			client = type.startsWith("RSA") ? new Side.Rsa(local, whole.toRsa(true)) : new Side.Azure(local);
		}
		Map<String, List<String>> uses = in(key, "uses");
		for (String use : List.of("sign", "encrypt", "wrap")) {
			for (String algorithm : uses.getOrDefault(use, List.of())) {
				for (String direction : DIRECTIONS) {
					Side maker = direction.startsWith("vault") ? vault : client;
					Side checker = direction.endsWith("vault") ? vault : client;
					if (maker != null && checker != null) {
						attempt(() -> Side.run(use, algorithm, maker, checker), type, use, algorithm, direction);
					}
				}
			}
		}
	}

	public static void main(String[] arguments) throws Exception {
		Object plan;
		try (JsonReader reader = JsonProviders.createReader(Files.readString(Path.of(System.getenv("INTEROP_PLAN"))))) {
			plan = reader.readUntyped();
		}
		Object admin = in(plan, "admin");
		TokenCredential credential = new ClientSecretCredentialBuilder().authorityHost(in(plan, "authority"))
		    .tenantId(in(plan, "tenant")).clientId(in(admin, "id")).clientSecret(in(admin, "secret"))
		    .disableInstanceDiscovery().build();
		String vault = in(plan, "vault");
		KeyClient keys = new KeyClientBuilder().vaultUrl(vault).credential(credential).buildClient();
		List<Object> all = in(plan, "keys");
		for (Object key : all) {
			tryKey(keys, credential, key);
		}
		Life.ofKeys(keys, webKey(in(all.get(0), "jwk")));
		Life.ofSecrets(new SecretClientBuilder().vaultUrl(vault).credential(credential).buildClient());
	}

	private Interop() {
	}
}
