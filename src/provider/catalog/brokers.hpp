// Keys of the types that are message brokers, and their variants. (conductor-integrations.md 8.3, 9)
//
// The values that stand for a variant are published only as labels of a form, so others are accepted as well, and ask
// for nothing more.
#pragma once

#include <openindex/provider/provider_catalog.hpp>

namespace openindex::providers::catalog {

inline constexpr ProviderKey servers = {.name = "endpoint", .required = true, .form = KeyForm::servers};
inline constexpr ProviderKey server_port = {.name = "port", .required = true, .form = KeyForm::port};

inline constexpr std::string_view amqp_protocols[] = {"amqp", "amqps"};

inline constexpr ProviderKey amqp[] = {
    {.name = "protocol", .required = true, .form = KeyForm::transport, .choices = amqp_protocols},
    {.name = "user", .required = true},
    {.name = "password", .required = true, .secret = true},
    servers,
    server_port,
    {.name = "namespace", .required = true},
};

inline constexpr std::string_view kafka_connections[] = {"SASL_SSL / PLAIN", "SASL_SSL / SCRAM-SHA-256 / JKS",
                                                         "SASL_SSL / SCRAM-SHA-512", "SASL_PLAINTEXT", "PLAINTEXT"};
inline constexpr std::string_view kafka_formats[] = {"String", "AVRO"};
inline constexpr std::string_view trust_stores[] = {"NONE", "JKS", "PEM"};
inline constexpr std::string_view kafka_mechanisms[] = {"SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"};
inline constexpr std::string_view registry_logins[] = {"Password in URL", "Schema Registry User Info (Key/Password)",
                                                       "GCP Service Account (OAuth2)", "NONE"};
inline constexpr KeyCondition with_sasl[] = {
    {"connectionType",
     {"SASL_SSL / PLAIN", "SASL_SSL / SCRAM-SHA-256 / JKS", "SASL_SSL / SCRAM-SHA-512", "SASL_PLAINTEXT"}}};
inline constexpr KeyCondition with_trust_store[] = {{"authenticationType", {"JKS", "PEM"}}};
inline constexpr KeyCondition with_java_trust_store[] = {{"authenticationType", {"JKS"}}};
inline constexpr KeyCondition with_avro[] = {{"protocol", {"AVRO"}}};
inline constexpr KeyCondition with_registry_user[] = {
    {"protocol", {"AVRO"}}, {"schemaRegistryAuthType", {"Schema Registry User Info (Key/Password)"}}};
inline constexpr KeyCondition with_registry_secret[] = {
    {"protocol", {"AVRO"}},
    {"schemaRegistryAuthType", {"Schema Registry User Info (Key/Password)", "GCP Service Account (OAuth2)"}}};

inline constexpr ProviderKey kafka[] = {
    servers,
    {.name = "connectionType",
     .required = true,
     .form = KeyForm::transport,
     .choices = kafka_connections,
     .open = true},
    {.name = "protocol", .required = true, .choices = kafka_formats, .open = true},
    {.name = "groupId"},
    {.name = "user", .when = with_sasl},
    {.name = "password", .secret = true, .when = with_sasl},
    {.name = "mechanism", .form = KeyForm::transport, .choices = kafka_mechanisms, .open = true},
    {.name = "authenticationType", .form = KeyForm::transport, .choices = trust_stores, .open = true},
    {.name = "file", .secret = true, .form = KeyForm::trust_roots, .when = with_trust_store},
    {.name = "keyStorePassword", .secret = true, .when = with_java_trust_store},
    {.name = "schemaRegistryUrl", .form = KeyForm::url, .when = with_avro},
    {.name = "schemaRegistryAuthType", .choices = registry_logins, .open = true},
    {.name = "schemaRegistryApiKey", .when = with_registry_user},
    {.name = "schemaRegistryApiSecret", .secret = true, .when = with_registry_secret},
    {.name = "valueSubjectNameStrategy"},
};

inline constexpr std::string_view nats_connections[] = {"Default", "Jetstream"};
inline constexpr std::string_view nats_logins[] = {"With Credentials", "Without Credentials"};
inline constexpr std::string_view nats_tokens[] = {"NONE", "JWT", "TOKEN_BASED_AUTHENTICATION"};
inline constexpr std::string_view nats_consumers[] = {"Push", "Pull"};
inline constexpr KeyCondition with_credentials[] = {{"authenticationType", {"With Credentials"}}};
inline constexpr KeyCondition with_jwt[] = {{"protocol", {"JWT"}}};
inline constexpr KeyCondition with_token[] = {{"protocol", {"TOKEN_BASED_AUTHENTICATION"}}};
inline constexpr KeyCondition with_tls_file[] = {{"tls", {"PEM", "JKS"}}};
inline constexpr KeyCondition with_java_tls_file[] = {{"tls", {"JKS"}},
                                                      {"truststoreAuthenticationType", {"usingPassword"}}};
inline constexpr KeyCondition with_consumer[] = {{"connectionType", {"Jetstream"}}, {"mechanism", {"With consumer"}}};

inline constexpr ProviderKey nats[] = {
    servers,
    {.name = "connectionType", .required = true, .choices = nats_connections, .open = true},
    {.name = "authenticationType", .required = true, .choices = nats_logins, .open = true},
    {.name = "protocol", .required = true, .choices = nats_tokens, .open = true},
    {.name = "tls", .required = true, .form = KeyForm::transport, .choices = trust_stores, .open = true},
    {.name = "user", .when = with_credentials},
    {.name = "password", .secret = true, .when = with_credentials},
    {.name = "file", .secret = true, .form = KeyForm::lines, .when = with_jwt},
    {.name = "api_key", .secret = true, .when = with_token},
    {.name = "tlsFile", .secret = true, .form = KeyForm::trust_roots, .when = with_tls_file},
    {.name = "truststoreAuthenticationType"},
    {.name = "keyStorePassword", .secret = true, .when = with_java_tls_file},
    {.name = "mechanism"},
    {.name = "stream", .when = with_consumer},
    {.name = "consumer", .when = with_consumer},
    {
        .name = "consumer_type",
        .choices = nats_consumers,
        .open = true,
    },
    {.name = "batchPollConsumersCount", .form = KeyForm::count},
    {.name = "pullPeriod", .form = KeyForm::count},
    {.name = "pullBatchWaitMillis", .form = KeyForm::count},
};

inline constexpr std::string_view service_bus_connections[] = {"Connection String", "Password Less"};
inline constexpr KeyCondition with_connection_string[] = {{"connectionType", {"Connection String"}}};
inline constexpr KeyCondition without_password[] = {{"connectionType", {"Password Less"}}};

// The endpoint is a connection string, which has the shared key in it.
inline constexpr ProviderKey azure_service_bus[] = {
    {.name = "connectionType", .required = true, .choices = service_bus_connections, .open = true},
    {.name = "endpoint", .secret = true, .when = with_connection_string},
    {.name = "namespace", .when = without_password},
};

inline constexpr std::string_view mq_logins[] = {"With Username/Password", "Passwordless"};
inline constexpr std::string_view mq_methods[] = {"Topic-based", "Queue-based"};
inline constexpr std::string_view mq_trust_stores[] = {"NONE", "JKS"};
inline constexpr std::string_view mq_tls[] = {"NONE", "usingCipherSuite"};
inline constexpr KeyCondition with_user[] = {{"protocol", {"With Username/Password"}}};
inline constexpr KeyCondition with_cipher_suite[] = {{"tls", {"usingCipherSuite"}}};

inline constexpr ProviderKey ibm_mq[] = {
    servers,
    server_port,
    {.name = "queueManager", .required = true},
    {.name = "channel", .required = true},
    {.name = "protocol", .required = true, .choices = mq_logins, .open = true},
    {.name = "pubSubMethod", .required = true, .choices = mq_methods, .open = true},
    {.name = "authenticationType", .required = true, .choices = mq_trust_stores, .open = true},
    {.name = "tls", .required = true, .form = KeyForm::transport, .choices = mq_tls, .open = true},
    {.name = "user", .when = with_user},
    {.name = "password", .secret = true, .when = with_user},
    {.name = "file", .secret = true, .form = KeyForm::trust_roots, .when = with_java_trust_store},
    {.name = "keyStorePassword", .secret = true, .when = with_java_trust_store},
    {.name = "cipherSuite", .when = with_cipher_suite},
};

}  // namespace openindex::providers::catalog
